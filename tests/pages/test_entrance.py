"""The doors of an account as a stranger meets them: wrong passwords, links from mails, the second factor."""

import re
from datetime import timedelta

import pytest
from allauth.account.models import EmailAddress
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP, hotp_value, yield_hotp_counters_from_time
from allauth.usersessions.models import UserSession
from axes.models import AccessAttempt
from django.contrib.sessions.models import Session
from django.core import mail
from django.core.cache import cache
from django.test import Client
from oauth2_provider.models import AccessToken, Application

from accounts import services as accounts
from tests.factories import UserFactory
from xsocial.kernel import clock

pytestmark = pytest.mark.django_db

SECRET, NEXT_SECRET = "a-long-enough-secret", "another-long-secret"
TOTP_SECRET = "JBSWY3DPEHPK3PXP"
LOGIN = "/accounts/login/"


@pytest.fixture
def robin():
    """Somebody with a password and a confirmed address."""
    person = UserFactory(username="robin", email="robin@example.com")
    person.set_password(SECRET)
    person.save()
    EmailAddress.objects.create(user=person, email=person.email, primary=True, verified=True)
    return person


@pytest.fixture
def at_home(robin, visitor):
    """Robin's browser, signed in, with the password shown once more."""
    visitor.post(LOGIN, {"login": "robin", "password": SECRET})
    visitor.post("/accounts/reauthenticate/", {"password": SECRET})
    return visitor


@pytest.fixture
def left_open(robin, visitor):
    """Robin's browser, signed in without more."""
    visitor.force_login(robin)
    return visitor


@pytest.fixture
def locks(settings):
    settings.AXES_ENABLED = True


def text(answer) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.content.decode()))


def code(secret: str = TOTP_SECRET) -> str:
    counter = next(iter(yield_hotp_counters_from_time()))
    return f"{hotp_value(secret, counter):06d}"


def link_in(letter, path: str) -> str:
    return re.search(rf"http://testserver({path}\S+)", letter.body)[1]


def knock(visitor, login: str, password: str = "wrong"):
    return visitor.post(LOGIN, {"login": login, "password": password})


# --- Signing in ---------------------------------------------------------------------------------


def test_a_wrong_password_is_told_in_plain_words(robin, visitor):
    assert "No account has this name and this password." in text(knock(visitor, "robin"))
    assert "No account has this address and this password." in text(knock(visitor, "robin@example.com"))


def test_the_fifth_wrong_password_and_all_later_ones_get_the_same_page(robin, visitor, locks):
    assert [knock(visitor, "robin").status_code for _ in range(4)] == [200] * 4
    fifth, sixth, right = knock(visitor, "robin"), knock(visitor, "robin"), knock(visitor, "robin", SECRET)
    assert {answer.status_code for answer in (fifth, sixth, right)} == {429}
    assert text(fifth) == text(sixth) == text(right)
    assert "Try again in 15 minutes." in text(fifth)
    assert 'href="/accounts/password/reset/"' in fifth.content.decode()
    assert "<title>Too many wrong passwords · xsocial</title>" in fifth.content.decode()


@pytest.mark.parametrize("others", [["ROBIN", "Robin"], ["robin@example.com", "Robin@Example.com"]])
def test_other_spellings_of_a_name_are_no_fresh_start(robin, visitor, locks, others):
    for login in ["robin", "robin", "robin", *others]:
        answer = knock(visitor, login)
    assert answer.status_code == 429
    assert knock(visitor, "robin@example.com", SECRET).status_code == 429


def test_a_name_too_long_to_be_one_is_just_wrong(visitor, locks):
    assert knock(visitor, "x" * 3000).status_code == 200


def test_trying_on_does_not_make_the_lock_longer(robin, visitor, locks):
    for _ in range(5):
        knock(visitor, "robin")
    AccessAttempt.objects.update(attempt_time=clock.now() - timedelta(minutes=14))
    assert knock(visitor, "robin").status_code == 429
    AccessAttempt.objects.update(attempt_time=clock.now() - timedelta(minutes=16))
    assert knock(visitor, "robin", SECRET)["Location"] == "/"


def test_a_password_chosen_anew_opens_the_lock_and_signs_apps_out(robin, visitor, locks):
    AccessToken.objects.create(user=robin, token="t", scope="read", expires=clock.now() + timedelta(days=1))
    knock(Client(), "robin", SECRET)
    for _ in range(5):
        knock(visitor, "robin")
    page = visitor.post("/accounts/password/reset/", {"email": "robin@example.com"}, follow=True)
    assert "Look into your mailbox" in text(page)
    assert "contact us" not in text(page)
    (letter,) = mail.outbox
    link = link_in(letter, "/accounts/password/reset/key/")
    form = visitor.get(link)["Location"]
    assert "Choose a new password" in text(visitor.get(form))
    page = visitor.post(form, {"password1": NEXT_SECRET, "password2": NEXT_SECRET}, follow=True)
    assert "Your password is changed" in text(page)
    assert mail.outbox[-1].subject == "[xsocial] Password reset"
    assert not AccessToken.objects.exists()
    assert not UserSession.objects.exists()
    assert knock(visitor, "robin", NEXT_SECRET)["Location"] == "/"
    assert "This link is no longer good" in text(Client().get(link))


def test_too_much_at_once_gets_a_page_of_ours(at_home, settings):
    settings.ACCOUNT_RATE_LIMITS = {"change_password": "1/m/user"}
    cache.clear()
    form = {"oldpassword": "wrong", "password1": NEXT_SECRET, "password2": NEXT_SECRET}
    at_home.post("/accounts/password/change/", form)
    answer = at_home.post("/accounts/password/change/", form)
    assert answer.status_code == 429
    assert "That was a lot at once" in text(answer)


# --- Password and address -----------------------------------------------------------------------


def test_a_changed_password_signs_other_browsers_out_and_is_told_by_mail(robin, at_home):
    elsewhere = Client()
    elsewhere.post(LOGIN, {"login": "robin", "password": SECRET})
    form = {"oldpassword": SECRET, "password1": NEXT_SECRET, "password2": NEXT_SECRET}
    assert at_home.post("/accounts/password/change/", form)["Location"] == "/settings"
    assert at_home.get("/settings").status_code == 200
    assert elsewhere.get("/settings").status_code == 302
    assert [(letter.to, letter.subject) for letter in mail.outbox] == [
        (["robin@example.com"], "[xsocial] Password changed")
    ]
    assert re.search(r"Your password has been changed.\s+That was on \d+ \w+ \d{4}, \d\d:\d\d UTC", mail.outbox[0].body)
    assert "If it was not you, choose a new password at once" in mail.outbox[0].body


def test_errors_stand_at_their_field_which_has_the_cursor_and_names_them(at_home):
    form = {"oldpassword": SECRET, "password1": "short", "password2": "short"}
    page = at_home.post("/accounts/password/change/", form).content.decode()
    (field,) = re.findall(r"<input[^>]* autofocus[^>]*>", page)
    assert 'name="password1"' in field
    (described,) = re.findall(r'aria-describedby="([^"]+)"', field)
    assert all(f'id="{name}"' in page for name in described.split())


def test_a_new_address_takes_the_place_of_the_old_when_it_is_confirmed(robin, at_home):
    page = at_home.post("/accounts/email/", {"action_add": "", "email": "new@example.com"}, follow=True)
    assert "new@example.com waits to be confirmed" in text(page)
    assert "Make Primary" not in text(page)
    (letter,) = mail.outbox
    assert letter.to == ["new@example.com"]
    assert letter.subject == "[xsocial] Please confirm your email address"
    link = link_in(letter, "/accounts/confirm-email/")
    assert "new@example.com is the address of @robin" in text(at_home.get(link))
    at_home.post(link)
    robin.refresh_from_db()
    assert robin.email == "new@example.com"
    assert [row.email for row in EmailAddress.objects.all()] == ["new@example.com"]
    assert mail.outbox[-1].to == ["robin@example.com"]
    assert "This link is no longer good" in text(at_home.get(link))


def test_asking_again_within_the_minute_says_so(robin, at_home, settings):
    settings.ACCOUNT_RATE_LIMITS = {"confirm_email": "1/m/key"}
    wish = {"email": "new@example.com"}
    at_home.post("/accounts/email/", wish | {"action_add": ""})
    assert "sent less than a minute ago" in text(
        at_home.post("/accounts/email/", wish | {"action_send": ""}, follow=True)
    )
    assert len(mail.outbox) == 1
    cache.clear()
    assert "less than a minute ago" not in text(
        at_home.post("/accounts/email/", wish | {"action_send": ""}, follow=True)
    )
    assert len(mail.outbox) == 2
    stranger = at_home.post("/accounts/email/", {"email": "else@example.com", "action_send": ""}, follow=True)
    assert "less than a minute ago" not in text(stranger)


def test_with_a_second_factor_the_address_is_changed_after_a_proof_alone(robin, at_home):
    TOTP.activate(robin, TOTP_SECRET)
    at_home.post("/accounts/email/", {"action_add": "", "email": "new@example.com"})
    letter = next(letter for letter in mail.outbox if letter.to == ["new@example.com"])
    at_home.post(link_in(letter, "/accounts/confirm-email/"))
    assert [row.email for row in EmailAddress.objects.all()] == ["new@example.com"]
    assert mail.outbox[-1].to == ["robin@example.com"]
    browser = Client()
    browser.force_login(robin)
    answer = browser.post("/accounts/email/", {"action_add": "", "email": "thief@example.com"})
    assert answer["Location"].startswith("/accounts/reauthenticate/")


def test_a_wished_for_address_can_be_forgotten(robin, at_home):
    at_home.post("/accounts/email/", {"action_add": "", "email": "new@example.com"})
    page = at_home.post("/accounts/email/", {"action_remove": "", "email": "new@example.com"}, follow=True)
    assert "waits to be confirmed" not in text(page)
    assert "Your address is robin@example.com" in text(page)


def test_a_browser_left_open_cannot_take_the_address_over(robin, left_open):
    answer = left_open.post("/accounts/email/", {"action_add": "", "email": "thief@example.com"})
    assert answer["Location"].startswith("/accounts/reauthenticate/")
    assert not EmailAddress.objects.filter(email="thief@example.com").exists()


def test_wrong_passwords_at_the_second_asking_lock_too(left_open, locks):
    answers = [left_open.post("/accounts/reauthenticate/", {"password": "wrong"}) for _ in range(5)]
    assert "This is not your password." in text(answers[0])
    assert answers[-1].status_code == 429
    assert "Try again in 15 minutes." in text(answers[-1])


def test_the_list_of_browsers_names_them_and_signs_the_others_out(robin, at_home):
    elsewhere = Client(headers={"User-Agent": "Mozilla/5.0 (Windows NT 10.0) Gecko/20100101 Firefox/140.0"})
    knock(elsewhere, "robin", SECRET)
    page = text(at_home.get("/accounts/sessions/"))
    assert "Firefox on Windows" in page
    assert page.count("This browser") == 1
    at_home.post("/accounts/sessions/")
    assert elsewhere.get("/settings").status_code == 302
    assert at_home.get("/settings").status_code == 200
    assert "Firefox" not in text(at_home.get("/accounts/sessions/"))


def test_a_changed_password_ends_the_sessions_of_others(robin, at_home):
    elsewhere = Client()
    knock(elsewhere, "robin", SECRET)
    form = {"oldpassword": SECRET, "password1": NEXT_SECRET, "password2": NEXT_SECRET}
    at_home.post("/accounts/password/change/", form)
    assert [row.session_key for row in UserSession.objects.all()] == [at_home.session.session_key]
    assert not Session.objects.filter(pk=elsewhere.cookies["sessionid"].value).exists()


def test_an_app_is_signed_out_alone_and_only_by_its_owner(robin, at_home):
    def token(user, name):
        app = Application.objects.create(
            name=name,
            client_type="confidential",
            authorization_grant_type="authorization-code",
            redirect_uris="https://x.example",
        )
        expires = clock.now() + timedelta(days=1)
        return AccessToken.objects.create(user=user, application=app, token=name, scope="read", expires=expires)

    mine, other, theirs = token(robin, "Toot"), token(robin, "Tusky"), token(UserFactory(), "Ivory")
    page = text(at_home.get("/settings/apps"))
    assert [name for name in ("Toot", "Tusky", "Ivory") if name in page] == ["Toot", "Tusky"]
    for held in (mine, theirs):
        at_home.post(f"/settings/apps/{held.application_id}/sign-out")
    assert set(AccessToken.objects.all()) == {other, theirs}


# --- The second factor --------------------------------------------------------------------------


def test_setting_up_the_app_asks_for_its_code_and_gives_recovery_codes(robin, at_home):
    page = at_home.get("/accounts/2fa/totp/activate/").content.decode()
    secret = re.search(r'<code class="secret">([A-Z2-7]+)</code>', page)[1]
    assert "data:image/svg+xml" in page
    wrong = at_home.post("/accounts/2fa/totp/activate/", {"code": "000000"})
    assert "This code is wrong" in text(wrong)
    page = at_home.post("/accounts/2fa/totp/activate/", {"code": code(secret)}, follow=True)
    assert page.redirect_chain[-1][0] == "/accounts/2fa/recovery-codes/"
    codes = re.findall(r"<code>([0-9a-f]{8})</code>", page.content.decode())
    assert len(codes) == 10
    assert at_home.get("/accounts/2fa/recovery-codes/download/").content.decode().split() == codes


def test_a_recovery_code_signs_in_once(robin):
    TOTP.activate(robin, TOTP_SECRET)
    recovery = RecoveryCodes.activate(robin).get_unused_codes()[0]
    first, second = Client(), Client()
    for browser in (first, second):
        assert knock(browser, "robin", SECRET)["Location"] == "/accounts/2fa/authenticate/"
    assert first.post("/accounts/2fa/authenticate/", {"code": recovery})["Location"] == "/"
    again = second.post("/accounts/2fa/authenticate/", {"code": recovery})
    assert "This code is wrong" in text(again)
    assert second.get("/settings").status_code == 302
    assert "You have 9 left of 10." in text(first.get("/accounts/2fa/"))


def test_the_same_code_of_the_app_does_not_sign_in_twice(robin):
    TOTP.activate(robin, TOTP_SECRET)
    now = code()
    for browser, goes_on in ((Client(), True), (Client(), False)):
        knock(browser, "robin", SECRET)
        answer = browser.post("/accounts/2fa/authenticate/", {"code": now})
        assert (answer.status_code == 302) is goes_on


@pytest.mark.parametrize("path", ["totp/activate/", "recovery-codes/generate/", "recovery-codes/", "totp/deactivate/"])
def test_the_second_factor_is_changed_only_after_a_proof(robin, left_open, path):
    if path != "totp/activate/":
        TOTP.activate(robin, TOTP_SECRET)
        RecoveryCodes.activate(robin)
    assert "reauthenticate" in left_open.get(f"/accounts/2fa/{path}")["Location"]


def test_turning_the_app_off_needs_no_code_any_more_and_is_told_by_mail(robin, at_home):
    TOTP.activate(robin, TOTP_SECRET)
    RecoveryCodes.activate(robin)
    page = at_home.post("/accounts/2fa/totp/deactivate/", follow=True)
    assert "Off." in text(page)
    assert mail.outbox[-1].subject == "[xsocial] Authenticator app deactivated"
    assert knock(Client(), "robin", SECRET)["Location"] == "/"


# --- Words --------------------------------------------------------------------------------------


def test_every_page_speaks_in_sentences_not_in_headlines(robin, at_home, visitor):
    pages = [at_home.get(f"/accounts/{path}") for path in ("email/", "password/change/", "2fa/", "2fa/totp/activate/")]
    TOTP.activate(robin, TOTP_SECRET)
    RecoveryCodes.activate(robin)
    paths = ("2fa/", "2fa/totp/deactivate/", "2fa/recovery-codes/", "2fa/recovery-codes/generate/", "logout/")
    pages += [at_home.get(f"/accounts/{path}") for path in paths]
    doors = ("login/", "signup/", "password/reset/", "password/reset/done/", "confirm-email/", "inactive/")
    pages += [Client().get(f"/accounts/{path}") for path in (*doors, "confirm-email/x/", "password/reset/key/1-2-3/")]
    heads = [
        found for page in pages for found in re.findall(r"<(?:title|h1|h2|button[^>]*)>([^<]+)<", page.content.decode())
    ]
    assert len(heads) > 30
    assert [head for head in heads if re.search(r"[a-z] [A-Z][a-z]", head)] == []


def test_a_closed_account_is_signed_out_of_its_apps(robin, client):
    token = AccessToken.objects.create(user=robin, token="t", scope="read", expires=clock.now() + timedelta(days=1))
    accounts.delete_account(user=robin)
    assert not AccessToken.objects.filter(pk=token.pk).exists()

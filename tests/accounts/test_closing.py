"""Leaving with time to think: hidden at once, erased later, taken back in between."""

from datetime import timedelta
from smtplib import SMTPServerDisconnected

import pytest
from allauth.account.models import EmailAddress
from django.core.mail.backends.base import BaseEmailBackend

from accounts import selectors, services
from accounts.models import User
from accounts.services import lifecycle
from posts import services as posts
from posts import tasks
from tests.factories import PASSWORD, FollowFactory, UserFactory
from xsocial.kernel import clock
from xsocial.kernel.errors import Conflict, NotFound

pytestmark = pytest.mark.django_db


@pytest.fixture
def bob():
    person = UserFactory(username="bob", bio="Here", language="fr", country_code="FR", time_zone="Europe/Paris")
    EmailAddress.objects.create(user=person, email=person.email, primary=True, verified=True)
    return person


def days_later(days: float):
    return clock.fixed(clock.now() + timedelta(days=days))


def test_a_closed_account_is_hidden_signed_out_and_erased_when_its_time_has_come(bob, client, settings):
    settings.ACCOUNT_GRACE_DAYS = 7
    edge = FollowFactory(followee=bob)
    client.post("/accounts/login/", {"login": "bob", "password": PASSWORD})
    assert client.get("/settings").status_code == 200
    assert services.close_account(user=bob) - clock.now() > timedelta(days=6.9)
    assert client.get("/settings")["Location"].startswith("/accounts/login/")
    with pytest.raises(NotFound):
        selectors.get_user("bob")
    with days_later(6.9):
        assert tasks.erase_closed_accounts() == 0
    bob.refresh_from_db()
    assert (bob.is_active, bob.bio) == (True, "Here")
    with days_later(7.1):
        assert [tasks.erase_closed_accounts(), tasks.erase_closed_accounts()] == [1, 0]
    bob.refresh_from_db()
    edge.follower.refresh_from_db()
    assert (bob.is_active, bob.bio, bob.email, bob.closes_at) == (False, "", "", None)
    assert (bob.language, bob.country_code, bob.time_zone) == ("en", "", "UTC")
    assert edge.follower.following_count == 0
    assert not EmailAddress.objects.exists()


def test_taken_back_it_is_as_before(bob):
    FollowFactory(followee=bob)
    services.add_muted_keyword(user=bob, phrase="rain")
    services.close_account(user=bob)
    services.reactivate_account(user=bob)
    with days_later(99):
        assert services.erase_due() == 0
    found = selectors.get_user("bob")
    assert (found.followers_count, found.bio) == (1, "Here")
    posts.create_post(author=found, text="Back")
    assert selectors.muted_keyword_rows(bob)
    services.delete_account(user=bob)
    assert not selectors.muted_keyword_rows(bob)


def test_who_comes_back_while_the_job_runs_stays(bob):
    """The job read the row before its owner took the closing back."""
    services.close_account(user=bob)
    services.reactivate_account(user=bob)
    with days_later(99):
        assert not lifecycle.delete_account(user=bob, due_by=clock.now())
    bob.refresh_from_db()
    assert bob.is_reachable


def test_one_that_fails_does_not_keep_the_others(bob, monkeypatch):
    other = UserFactory()
    for person in (bob, other):
        services.close_account(user=person)
        services.hasten_closing(user=person)
    sign_out = lifecycle.sign_out_apps

    def fails_for_bob(*, user: User, **more: int) -> None:
        if user.pk == bob.pk:
            raise OSError("no")
        sign_out(user=user, **more)

    monkeypatch.setattr(lifecycle, "sign_out_apps", fails_for_bob)
    assert services.erase_due() == 1
    assert set(User.objects.filter(is_active=False)) == {other}


def test_only_a_closing_account_can_be_hastened(bob):
    with pytest.raises(Conflict):
        services.hasten_closing(user=bob)


class Unreachable(BaseEmailBackend):
    """A mail server that refuses."""

    def send_messages(self, messages):
        raise SMTPServerDisconnected("gone")


@pytest.mark.parametrize(("days", "words"), [(7, "Sign in before"), (0, "erased within the hour")])
def test_closing_says_what_follows_even_when_mail_cannot_be_sent(bob, client, settings, days, words):
    settings.ACCOUNT_GRACE_DAYS = days
    settings.EMAIL_BACKEND = f"{__name__}.Unreachable"
    client.post("/accounts/login/", {"login": "bob", "password": PASSWORD})
    client.post("/accounts/reauthenticate/", {"password": PASSWORD})
    page = client.post("/settings/account/close", follow=True)
    assert page.status_code == 200
    assert words in page.text
    bob.refresh_from_db()
    assert bob.closes_at is not None


def test_without_days_of_grace_the_mail_promises_none(bob, client, settings, mailoutbox):
    settings.ACCOUNT_GRACE_DAYS = 0
    client.post("/accounts/login/", {"login": "bob", "password": PASSWORD})
    client.post("/accounts/reauthenticate/", {"password": PASSWORD})
    client.post("/settings/account/close")
    assert "erased for good within the hour" in mailoutbox[-1].body
    assert "take it back" not in mailoutbox[-1].body.lower()

"""The doors of an account: signing up, the reader's clock, closing for good."""

import json
from datetime import UTC, datetime

import pytest
from allauth.account.models import EmailAddress
from asgiref.sync import async_to_sync, sync_to_async
from django.core import mail
from django.core.signals import request_finished
from django.db import close_old_connections, connection
from django.test import AsyncRequestFactory

from accounts import selectors
from accounts import services as accounts
from accounts.models import User
from feed import export
from feed.views.export import export as export_page
from posts import services as posts
from tests.factories import PostFactory, TopicFactory, UserFactory
from xsocial.kernel import clock

pytestmark = pytest.mark.django_db

SECRET = "a-long-enough-secret"


def sign_up(visitor, username="robin"):
    form = {"email": f"{username}@example.com", "username": username, "password1": SECRET, "password2": SECRET}
    return visitor.post("/accounts/signup/", form)


def test_signing_up_leads_to_the_first_steps_and_mails_in_our_name(visitor):
    assert sign_up(visitor)["Location"] == "/welcome"
    (letter,) = mail.outbox
    assert letter.subject.startswith("[xsocial]")
    assert letter.body.rstrip().endswith("— xsocial, testserver")
    assert "Thank you for using" not in letter.body


@pytest.mark.parametrize(
    ("username", "complaint"),
    [("Admin", "This name is reserved."), ("a b", "Use letters, digits and underscores only."), ("x.y", "underscores")],
)
def test_a_name_that_cannot_be_had_is_refused_in_our_words(visitor, username, complaint):
    page = sign_up(visitor, username).content.decode()
    assert complaint in page
    assert "@/./+/-/_" not in page
    assert not User.objects.exists()


def test_dates_follow_the_readers_clock(web, reader, author, visitor):
    with clock.fixed(datetime(2026, 3, 2, 22, 30, tzinfo=UTC)):
        post = PostFactory(author=author)
    assert "22:30 UTC · 2 March 2026" in visitor.get(f"/@author/{post.pk}").content.decode()
    web.post("/settings/region", {"language": "en", "time_zone": "Asia/Tokyo"})
    assert "07:30 JST · 3 March 2026" in web.get(f"/@author/{post.pk}").content.decode()
    assert "3 March 2026, 07:30 JST" in web.get("/@author").content.decode()
    User.objects.filter(pk=reader.pk).update(time_zone="Mars/Olympus")
    assert "22:30 UTC" in web.get(f"/@author/{post.pk}").content.decode()


def test_colours_are_those_of_the_device_unless_one_chose(web):
    form = {"language": "en", "time_zone": "UTC"}
    assert "data-theme" not in web.get("/settings").content.decode()
    web.post("/settings/region", form | {"theme": "dark"})
    assert '<html lang="en" data-theme="dark">' in web.get("/settings").content.decode()
    web.post("/settings/region", form | {"theme": ""})
    assert "data-theme" not in web.get("/settings").content.decode()
    web.cookies["theme"] = '"><script>'
    assert "data-theme" not in web.get("/settings").content.decode()


def test_what_the_browser_prefers_does_not_translate_half_a_page(visitor):
    page = visitor.get("/accounts/login/", headers={"Accept-Language": "de"}).content.decode()
    assert '<html lang="en">' in page
    assert "Anmelden" not in page


@pytest.fixture
def leaver(visitor) -> User:
    """Somebody with a password and an address, signed in with `visitor`."""
    person = UserFactory(username="leaver", bio="Gone soon")
    person.set_password(SECRET)
    person.save()
    EmailAddress.objects.create(user=person, email="leaver@example.com", primary=True, verified=True)
    visitor.force_login(person)
    return person


def test_closing_asks_for_the_password_and_hides_at_once(noon, visitor, leaver, web):
    assert "/accounts/reauthenticate/" in visitor.get("/settings/account/close")["Location"]
    assert "/accounts/reauthenticate/" in visitor.post("/settings/account/close")["Location"]
    assert web.get("/@leaver").status_code == 200
    visitor.post("/accounts/reauthenticate/", {"password": SECRET})
    page = visitor.get("/settings/account/close").content.decode()
    assert "@leaver will be gone" in page
    assert "For 30 days" in page
    assert "/settings/account/export" in page
    assert visitor.post("/settings/account/close")["Location"] == "/"
    assert "Sign in before 1 April 2026 to take it back." in visitor.get("/").content.decode()
    assert web.get("/@leaver").status_code == 404
    assert visitor.get("/settings")["Location"].startswith("/accounts/login/")
    (letter,) = mail.outbox
    assert (letter.subject, letter.to) == ("[xsocial] Your account is closed", ["leaver@example.com"])
    assert "Until 1 April 2026, 12:00 UTC" in letter.body
    assert "http://testserver/accounts/login/" in letter.body


def test_who_signs_in_again_is_offered_to_take_it_back(noon, visitor, leaver, web):
    accounts.close_account(user=leaver)
    answer = visitor.post("/accounts/login/", {"login": "leaver", "password": SECRET})
    assert answer["Location"] == "/settings/account"
    assert "on 1 April 2026 it is erased" in visitor.get("/following").content.decode()
    page = visitor.get("/settings/account").content.decode()
    assert "Take it back" in page
    assert "Close it" not in page
    visitor.post("/settings/account/resume")
    assert web.get("/@leaver").status_code == 200
    assert "is erased" not in visitor.get("/following").content.decode()
    leaver.refresh_from_db()
    assert (leaver.closes_at, leaver.bio) == (None, "Gone soon")


def test_operators_take_a_closing_back_or_hasten_it(client, settings, leaver):
    settings.STAFF_SECOND_FACTOR_REQUIRED = False
    client.force_login(UserFactory(is_staff=True, is_superuser=True))
    stays = UserFactory(username="stays")

    def act(action: str) -> str:
        chosen = {"action": action, "_selected_action": [leaver.pk, stays.pk]}
        return client.post("/admin/accounts/user/", chosen, follow=True).content.decode()

    accounts.close_account(user=leaver)
    assert "@leaver is no longer closed." in act("take_closing_back")
    leaver.refresh_from_db()
    assert leaver.is_reachable
    accounts.close_account(user=leaver)
    page = act("erase_soon")
    assert "@leaver is erased within ten minutes." in page
    assert "@stays: This account is not being closed." in page
    assert accounts.erase_due() == 1
    leaver.refresh_from_db()
    assert (leaver.is_active, leaver.bio) == (False, "")


def test_ones_own_profile_leads_to_what_the_phone_has_no_room_for(web, author):
    mine, theirs = (web.get(f"/@{name}").content.decode() for name in ("reader", "author"))
    for address in ("/settings", "/bookmarks"):
        link = f'<a class="icon-button" href="{address}"'
        assert link in mine
        assert link not in theirs


def test_everything_about_oneself_comes_in_one_file(web, reader, author):
    post = PostFactory(author=reader, text="My own words")
    theirs = PostFactory(author=author, text="Words of others")
    posts.favorite(user=reader, post=theirs)
    accounts.add_muted_keyword(user=reader, phrase="spoilers")
    accounts.block(blocker=reader, blocked=UserFactory(username="pest"))
    answer = web.get("/settings/account/export")
    assert answer["Content-Disposition"] == 'attachment; filename="xsocial-reader.json"'
    body = answer.getvalue()
    found = json.loads(body)
    assert [(row["id"], row["text"]) for row in found["posts"]] == [(str(post.pk), "My own words")]
    assert (found["actions"][0]["kind"], found["actions"][0]["post_id"]) == ("favorite", str(theirs.pk))
    assert found["people"]["following"][0]["username"] == "author"
    assert found["people"]["blocked"][0]["username"] == "pest"
    assert found["wishes"]["muted_words"] == [{"phrase": "spoilers", "until": None}]
    assert [found[name] for name in ("appeals", "strikes", "advertisers_hidden", "apps")] == [[], [], [], []]
    assert b"Words of others" not in body
    assert b"password" not in body


def test_ones_own_file_is_sent_while_it_is_written(reader, author, monkeypatch):
    monkeypatch.setattr(export, "BATCH", 2)
    for number in range(5):
        PostFactory(author=reader, text=f"note {number}")
    pieces = list(export.parts(reader))
    assert max(piece.count(b"note") for piece in pieces) == 2
    assert [row["text"] for row in json.loads(b"".join(pieces))["posts"]] == [f"note {number}" for number in range(5)]


def test_the_server_takes_the_file_piece_by_piece(reader):
    request = AsyncRequestFactory().get("/settings/account/export")
    request.user = reader

    async def taken() -> bytes:
        answer = await sync_to_async(export_page)(request)
        return b"".join([piece async for piece in answer])

    assert json.loads(async_to_sync(taken)())["profile"]["username"] == "reader"


def test_a_file_that_is_not_taken_to_its_end_leaves_no_cursor_open(reader, monkeypatch):
    monkeypatch.setattr(export, "BATCH", 2)
    for number in range(5):
        PostFactory(author=reader, text=f"note {number}")
    request = AsyncRequestFactory().get("/settings/account/export")
    request.user = reader

    def cursors() -> int:
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM pg_cursors WHERE name LIKE '_django_curs%%'", [])
            return cursor.fetchone()[0]

    async def left() -> tuple[int, int]:
        answer = await sync_to_async(export_page)(request)
        pieces = aiter(answer)
        while b"note" not in await anext(pieces):
            pass
        before = await sync_to_async(cursors)()
        await sync_to_async(answer.close)()
        return before, await sync_to_async(cursors)()

    request_finished.disconnect(close_old_connections)  # it would close the test's own connection
    try:
        assert async_to_sync(left)() == (1, 0)
    finally:
        request_finished.connect(close_old_connections)


def test_ones_own_file_is_nobody_elses(visitor, web):
    assert visitor.get("/settings/account/export")["Location"].startswith("/accounts/login/")
    assert b"someone" not in web.get("/settings/account/export?user=someone").getvalue()


def test_a_paused_person_is_told_so_on_every_page_and_finds_the_way_back(web, reader):
    assert "is paused" not in web.get("/following").content.decode()
    web.post("/settings/account/pause")
    page = web.get("/following").content.decode()
    assert 'Your account is paused: nobody sees you, and you cannot post. <a href="/settings/account">' in page
    assert web.get("/@Reader")["Location"] == web.get("/@reader")["Location"] == "/settings/account"
    web.post("/settings/account/resume")
    assert web.get("/@reader").status_code == 200


def test_a_suspended_person_reads_why_nobody_sees_them(web, reader):
    accounts.suspend_account(user=reader)
    assert web.get("/@reader")["Location"] == "/settings/account"
    assert "Your account is suspended" in web.get("/settings/account").content.decode()


def test_the_first_steps_take_topics_back_too(web, reader):
    birds, space = TopicFactory(slug="birds"), TopicFactory(slug="space")
    accounts.follow_topic(user=reader, topic=birds)
    assert web.post("/welcome", {"topics": ["space"]})["Location"] == "/"
    assert [row.topic for row in selectors.followed_topics(reader)] == [space]

"""A stranger's client, Mastodon.py, makes a journey against the running site."""

import io
from datetime import UTC, datetime, timedelta

import pytest
from mastodon import Mastodon, MastodonNotFoundError
from oauth2_provider.models import AccessToken
from PIL import Image

from tests.factories import UserFactory
from tests.journeys.oauth import OUT_OF_BAND, approve

pytestmark = pytest.mark.django_db(transaction=True)
SCOPES = ["read", "write", "follow", "push"]


def log_in(live_server, user, client) -> Mastodon:
    """Registers an app, lets the person approve it in a browser session, redeems the code."""
    client_id, secret = Mastodon.create_app("journey", api_base_url=live_server.url, scopes=SCOPES)
    api = Mastodon(client_id=client_id, client_secret=secret, api_base_url=live_server.url)
    address = api.auth_request_url(redirect_uris=OUT_OF_BAND, scopes=SCOPES, allow_http=True)
    client.force_login(user)
    api.log_in(code=approve(client, address), scopes=SCOPES, allow_http=True)
    return api


@pytest.fixture
def people():
    return UserFactory(username="orla"), UserFactory(username="tide")


@pytest.fixture
def orla(live_server, people, client):
    return log_in(live_server, people[0], client)


@pytest.fixture
def tide(live_server, people, client):
    return log_in(live_server, people[1], client)


def picture() -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (64, 48), "teal").save(out, "PNG")
    return out.getvalue()


def test_log_in_knows_who_it_is(orla, people):
    me = orla.account_verify_credentials()

    assert me.username == "orla"
    assert int(me.id) == people[0].pk


def test_write_read_edit_delete(orla):
    media = orla.media_post(picture(), mime_type="image/png", description="a teal field")
    posted = orla.status_post("First light over #Harbour with @tide", media_ids=[media], language="en")

    read = orla.status(posted.id)
    assert [tag.name for tag in read.tags] == ["harbour"]
    assert [mention.acct for mention in read.mentions] == ["tide"] or read.mentions == []
    assert read.media_attachments[0].description == "a teal field"

    edited = orla.status_update(posted.id, "Second light")
    assert "Second light" in edited.content
    assert edited.edited_at is not None
    assert len(orla.status_history(posted.id)) == 2

    orla.status_delete(posted.id)
    with pytest.raises(MastodonNotFoundError):
        orla.status(posted.id)


def test_follow_reply_and_react(orla, tide, people):
    relation = tide.account_follow(people[0].pk)
    assert relation.following

    root = orla.status_post("Who is up for the early ferry?")
    reply = tide.status_reply(root, "Me!")
    tide.status_favourite(root)
    tide.status_reblog(root)
    tide.status_bookmark(root)

    thread = orla.status_context(root.id)
    assert [status.id for status in thread.descendants] == [reply.id]
    seen = tide.status(root.id)
    assert (seen.favourited, seen.reblogged, seen.bookmarked) == (True, True, True)
    assert (seen.favourites_count, seen.reblogs_count, seen.replies_count) == (1, 1, 1)
    assert root.id in [status.id for status in tide.timeline_home()]
    assert {"follow", "mention", "favourite", "reblog"} <= {n.type for n in orla.notifications()}
    assert [status.id for status in tide.bookmarks()] == [root.id]

    groups = {group.type: group for group in orla.grouped_notifications().notification_groups}
    assert groups["favourite"].notifications_count == 1
    assert orla.unread_grouped_notifications_count() == len(groups)
    orla.dismiss_grouped_notification(groups["reblog"].group_key)
    assert "reblog" not in {n.type for n in orla.notifications()}
    assert orla.markers_set("home", root).home.last_read_id == root.id
    assert orla.markers_get("home").home.version == 1
    assert orla.status_pin(root).pinned
    assert [status.id for status in tide.account_statuses(people[0].pk, pinned=True)] == [root.id]
    assert not orla.status_unpin(root).pinned

    assert not tide.status_unfavourite(root).favourited
    assert not tide.status_unreblog(root).reblogged
    assert tide.status(root.id).favourites_count == 0


def test_ask_a_poll_and_write_for_later(orla, tide):
    asked = orla.status_post("Tea or coffee?", poll=orla.make_poll(["Tea", "Coffee"], 600))
    answered = tide.poll_vote(asked.poll.id, 1)
    assert (answered.own_votes, [option.votes_count for option in answered.options]) == ([1], [0, 1])
    assert orla.poll(asked.poll.id).voters_count == 1

    at = datetime.now(UTC) + timedelta(minutes=6)
    waiting = orla.status_post("See you soon", scheduled_at=at)
    assert waiting.params.text == "See you soon"
    moved = orla.scheduled_status_update(waiting.id, at + timedelta(hours=1))
    assert moved.scheduled_at > waiting.scheduled_at
    assert [row.id for row in orla.scheduled_statuses()] == [waiting.id]
    orla.scheduled_status_delete(waiting.id)
    assert orla.scheduled_statuses() == []


def test_keep_a_list(orla, tide, people):
    orla.account_follow(people[1].pk)
    close = orla.list_create("Close", replies_policy="followed", exclusive=True)
    orla.list_accounts_add(close, [people[1].pk])
    post = tide.status_post("For those who listen")

    assert [row.title for row in orla.lists()] == ["Close"]
    assert (orla.list(close).replies_policy, orla.list(close).exclusive) == ("followed", True)
    assert [person.acct for person in orla.list_accounts(close, limit=0)] == ["tide"]
    assert [row.id for row in orla.account_lists(people[1].pk)] == [close.id]
    assert [status.id for status in orla.timeline_list(close)] == [post.id]
    assert post.id not in [status.id for status in orla.timeline_home()]

    assert orla.list_update(close, "Near").title == "Near"
    orla.list_accounts_delete(close, [people[1].pk])
    assert orla.timeline_list(close) == []
    orla.list_delete(close)
    with pytest.raises(MastodonNotFoundError):
        orla.list(close)


def test_block_hides_and_unblock_shows(orla, tide, people):
    post = orla.status_post("Only for friends of the harbour")
    orla.account_block(people[1].pk)

    with pytest.raises(MastodonNotFoundError):
        tide.status(post.id)
    assert tide.account_relationships(people[0].pk)[0].blocked_by

    orla.account_unblock(people[1].pk)
    assert tide.status(post.id).id == post.id


def test_pages_follow_each_other(orla):
    posted = [orla.status_post(f"note {number}").id for number in range(5)]

    first = orla.timeline_home(limit=2)
    second = orla.fetch_next(first)

    assert [status.id for status in [*first, *second]] == posted[::-1][:4]


def test_search_and_public_timelines(orla, people):
    post = orla.status_post("Bioluminescence tonight #plankton")

    assert orla.search("tide", result_type="accounts").accounts[0].acct == "tide"
    assert [status.id for status in orla.timeline_hashtag("plankton")] == [post.id]
    assert post.id in [status.id for status in orla.timeline_public()]
    assert post.id in [status.id for status in orla.search("bioluminescence").statuses]


def test_idempotency_key_posts_once(orla):
    first = orla.status_post("Only once", idempotency_key="same-key")
    again = orla.status_post("Only once", idempotency_key="same-key")

    assert again.id == first.id


def test_revoked_token_is_refused(orla):
    orla.revoke_access_token(allow_http=True)

    assert not AccessToken.objects.exists()

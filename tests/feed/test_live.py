"""Which open pages hear of what."""

import pytest

from accounts import services as accounts
from accounts.events import Followed, Muted, Unfollowed
from feed import live
from posts import services as posts
from posts.events import Notified, PostCreated, PostDeleted
from tests.factories import FollowFactory, PostFactory, UserFactory

pytestmark = pytest.mark.django_db


class Page(live.Listener):
    """An open page that keeps what it was told."""

    def __init__(self, user, followed=(), watched=()) -> None:
        super().__init__(socket=None, loop=None, user_id=user.pk, followed=set(followed), muted=set())
        self.watched = set(watched)
        self.told: list[dict] = []

    def end(self) -> None:
        self.told.append({"type": "ended"})

    def tell(self, message: dict) -> None:
        self.told.append(message)


@pytest.fixture
def author():
    return UserFactory(username="author")


@pytest.fixture
def open_page():
    """Opens pages and closes them after the test."""
    opened = []

    def open_one(user, **known) -> Page:
        page = Page(user, **known)
        live.audience.join(page)
        opened.append(page)
        return page

    yield open_one
    for page in opened:
        live.audience.leave(page)


def created(post, **changes) -> PostCreated:
    about = {"post_id": post.pk, "author_id": post.author_id, "created_ms": 0, "conversation_id": post.pk}
    return PostCreated(**about | changes)


def test_followers_hear_of_a_post_and_others_do_not(author, open_page):
    follower = open_page(UserFactory(), followed=[author.pk])
    stranger = open_page(UserFactory())
    post = PostFactory(author=author)
    live.handle(created(post))
    [news] = follower.told
    assert (news["type"], news["post_id"], news["author"]["name"]) == ("new_post", str(post.pk), author.name)
    assert stranger.told == []


@pytest.mark.parametrize(
    "changes",
    [{"visibility": "direct"}, {"subscribers_only": True}, {"in_reply_to_id": 1, "in_reply_to_user_id": 2}],
)
def test_what_following_would_not_show_is_no_news(author, open_page, changes):
    follower = open_page(UserFactory(), followed=[author.pk])
    live.handle(created(PostFactory(author=author), **changes))
    assert follower.told == []


def test_people_kept_apart_on_a_list_raise_no_pill(author, open_page):
    reader, other = UserFactory(), UserFactory()
    for user, is_exclusive in ((reader, True), (other, False)):
        FollowFactory(follower=user, followee=author)
        made = accounts.create_list(owner=user, title="Apart", is_exclusive=is_exclusive)
        accounts.add_to_list(people_list=made, user_ids=[author.pk])
    keeping, plain = (open_page(user, followed=[author.pk]) for user in (reader, other))
    live.handle(created(PostFactory(author=author)))
    assert (len(keeping.told), len(plain.told)) == (0, 1)


def test_muted_words_and_authors_raise_no_pill(author, open_page):
    reader, other = UserFactory(), UserFactory()
    sensitive, plain = (open_page(user, followed=[author.pk]) for user in (reader, other))
    accounts.add_muted_keyword(user=reader, phrase="rainy day")
    original = PostFactory(text="Such a Rainy day!")
    repost = posts.repost(user=author, post=original)
    live.handle(created(PostFactory(author=author, text="One more rainy day")))
    live.handle(created(repost, repost_of_id=original.pk, repost_of_user_id=original.author_id))
    assert (len(sensitive.told), len(plain.told)) == (0, 2)
    live.handle(created(PostFactory(author=author, text="Rainy, for days")))
    assert len(sensitive.told) == 1
    plain.muted = {original.author_id}
    live.handle(created(repost, repost_of_id=original.pk, repost_of_user_id=original.author_id))
    assert len(plain.told) == 3


def test_a_deletion_reaches_pages_that_show_the_author(author, open_page):
    showing = open_page(UserFactory(), watched=[author.pk])
    other = open_page(UserFactory())
    live.handle(PostDeleted(post_id=5, author_id=author.pk, created_ms=0))
    assert showing.told == [{"type": "deleted", "post_id": "5"}]
    assert other.told == []


def test_open_pages_learn_of_follows_and_mutes(author, open_page):
    reader = UserFactory()
    page = open_page(reader)
    pair = {"follower_id": reader.pk, "followee_id": author.pk, "at_ms": 0}
    live.handle(Followed(**pair))
    live.handle(created(PostFactory(author=author)))
    live.handle(Muted(muter_id=reader.pk, muted_id=author.pk, expires_ms=None, at_ms=0))
    live.handle(created(PostFactory(author=author)))
    assert len(page.told) == 1
    live.handle(Unfollowed(**pair))
    assert page.followed == set()


def test_the_badge_counts_what_is_unread(author, open_page):
    reader = UserFactory(username="reader")
    page = open_page(reader)
    PostFactory(author=author, text="@reader hello")
    live.handle(Notified(recipient_ids=(reader.pk,), actor_id=author.pk, kind="mention", post_id=None, at_ms=0))
    assert page.told == [{"type": "notified", "unread": 1}]


def test_a_page_starts_with_the_graph_as_it_is(author, monkeypatch):
    monkeypatch.setattr(live.live_tail, "ensure_started", lambda: None)
    reader, muted = UserFactory(), UserFactory()
    FollowFactory(follower=reader, followee=author)
    accounts.mute(muter=reader, muted=muted)
    page = live.listener_for(None, reader, None)
    assert (page.followed, page.muted) == ({author.pk}, {muted.pk})


@pytest.mark.parametrize("given", [None, "7", {"a": 1}, ["x", None, "-1", "7"]])
def test_a_page_can_only_watch_ids(given, author):
    page = Page(author)
    live.watch(page, given)
    assert page.watched == ({7} if isinstance(given, list) else set())


def test_a_page_closes_when_its_session_ended_elsewhere(open_page, client):
    user = UserFactory()
    client.force_login(user)
    here, gone = open_page(user), open_page(user)
    here.session_key, gone.session_key = client.session.session_key, "ended"
    live.end_signed_out()
    assert (here.told, gone.told) == ([], [{"type": "ended"}])
    client.logout()
    live.end_signed_out()
    assert here.told == [{"type": "ended"}]

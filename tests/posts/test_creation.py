"""Writing posts: what is stored, counted, announced and refused."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import connection

from accounts import services as accounts
from posts import services
from posts.models import Engagement, IdempotencyKey, Media, Mention, Post, PostTag
from posts.services.idempotency import delete_old_keys
from posts.types import EngagementKind, Surface
from tests.factories import MediaFactory, PostFactory, UserFactory
from xsocial.kernel import clock, ids
from xsocial.kernel.errors import Conflict, Invalid, NotAllowed, NotFound
from xsocial.kernel.models import OutboxEvent

pytestmark = pytest.mark.django_db


def test_a_post_is_stored_counted_and_announced():
    ann, bob = UserFactory(), UserFactory(username="Bob")
    post = services.create_post(author=ann, text=" Hello @bob,\r\nsee #Tea and #tea  ", language="en")
    post.refresh_from_db()
    ann.refresh_from_db()
    assert post.text == "Hello @bob,\nsee #Tea and #tea"
    assert (post.conversation_id, ann.posts_count, post.counts.replies) == (post.pk, 1, 0)
    assert abs(ids.timestamp_ms(post.pk) - clock.to_ms(post.created_at)) < 1000
    assert list(Mention.objects.values_list("post", "user")) == [(post.pk, bob.pk)]
    assert list(PostTag.objects.values_list("tag__name", flat=True)) == ["tea"]
    event = OutboxEvent.objects.get(name="posts.post_created").payload
    assert (event["post_id"], event["author_id"], event["language"]) == (post.pk, ann.pk, "en")


def test_posts_for_subscribers_need_an_offer():
    ann = UserFactory()
    with pytest.raises(Invalid):
        services.create_post(author=ann, text="For those who pay", subscribers_only=True)
    assert not Post.objects.exists()


def test_a_reply_joins_the_conversation_and_is_an_action_on_its_parent():
    root = PostFactory()
    reply = PostFactory(in_reply_to=root, surface=Surface.POST_DETAIL)
    deeper = PostFactory(in_reply_to=reply)
    assert (deeper.conversation_id, deeper.in_reply_to_user_id) == (root.pk, reply.author_id)
    root.counts.refresh_from_db()
    assert root.counts.replies == 1
    action = Engagement.objects.get(post=root)
    assert (action.kind, action.surface, action.made_post_id) == (EngagementKind.REPLY, Surface.POST_DETAIL, reply.pk)


def test_replying_to_and_quoting_a_repost_means_the_original():
    original, other = PostFactory(), UserFactory()
    row = services.repost(user=other, post=original)
    assert PostFactory(in_reply_to=row).in_reply_to_id == original.pk
    assert PostFactory(quote_of=row).quote_of_id == original.pk
    original.counts.refresh_from_db()
    assert (original.counts.replies, original.counts.quotes, original.counts.reposts) == (1, 1, 1)


@pytest.mark.parametrize(
    "bad",
    [
        {"text": ""},
        {"text": " \n\x00\t "},
        {"text": "x" * 501},
        {"text": "e" + "\u0301" * 9000},
        {"text": "ok", "visibility": "everyone"},
        {"text": "ok", "language": "english please"},
        {"text": "ok", "spoiler_text": "x" * 201},
        {"text": " ".join(f"@p{n}" for n in range(31))},
        {"text": "ok", "idempotency_key": "k" * 129},
    ],
)
def test_bad_content_is_refused_and_leaves_nothing(bad):
    author = UserFactory()
    with pytest.raises(Invalid):
        services.create_post(author=author, **bad)
    assert not Post.objects.exists()
    assert not OutboxEvent.objects.filter(name__startswith="posts.").exists()


def test_length_counts_what_a_reader_sees():
    family = "\U0001f469\u200d\U0001f469\u200d\U0001f467"
    link = "https://example.com/" + "a" * 200
    for text in (family * 500, "e\u0301" * 500, (link + " ") * 15):
        assert PostFactory(text=text).pk


def test_a_deleted_or_hidden_parent_takes_no_reply():
    gone, hidden, blocker = PostFactory(), PostFactory(visibility="private"), PostFactory()
    author = UserFactory()
    services.delete_post(actor=gone.author, post=gone)
    accounts.block(blocker=blocker.author, blocked=author)
    for parent in (gone, hidden, blocker):
        for link in ("in_reply_to", "quote_of"):
            with pytest.raises(NotFound):
                services.create_post(author=author, text="But", **{link: parent})
    assert not Post.objects.filter(author=author).exists()


def test_only_public_posts_of_others_may_be_quoted():
    ann, bob = UserFactory(), UserFactory()
    accounts.follow(follower=bob, followee=ann)
    private = PostFactory(author=ann, visibility="private")
    with pytest.raises(NotAllowed):
        services.create_post(author=bob, text="Look", quote_of=private)
    assert services.create_post(author=ann, text="Again", quote_of=private).quote_of_id == private.pk


def test_the_suspended_do_not_post():
    author = UserFactory()
    accounts.suspend_account(user=author)
    author.refresh_from_db()
    with pytest.raises(NotAllowed):
        services.create_post(author=author, text="Hello")


def test_attachments_must_be_ones_own_and_unused():
    ann = UserFactory()
    mine, foreign = MediaFactory(owner=ann), MediaFactory()
    post = services.create_post(author=ann, media=[mine])
    assert post.has_media
    assert list(post.media.all()) == [mine]
    for media in ([mine], [foreign], [Media(pk=1, owner=ann)]):
        with pytest.raises(Invalid):
            services.create_post(author=ann, text="Pictures", media=media)
    fresh = MediaFactory(owner=ann)
    for media in ([fresh, fresh], [Media(pk=n, owner=ann) for n in range(5)]):
        with pytest.raises(Invalid):
            services.create_post(author=ann, text="Pictures", media=media)


def test_an_idempotency_key_gives_the_first_post_again():
    ann, bob = UserFactory(), UserFactory()
    first = services.create_post(author=ann, text="Once", idempotency_key="k")
    assert services.create_post(author=ann, text="Once", idempotency_key="k") == first
    assert services.create_post(author=bob, text="Once", idempotency_key="k") != first
    with pytest.raises(Conflict):
        services.create_post(author=ann, text="Twice", idempotency_key="k")
    ann.refresh_from_db()
    assert ann.posts_count == 1
    with clock.fixed(clock.now() + timedelta(hours=25)):
        assert delete_old_keys() == 2
    assert not IdempotencyKey.objects.exists()


def test_a_failed_attempt_does_not_use_up_its_key():
    ann, parent = UserFactory(), PostFactory()
    services.delete_post(actor=parent.author, post=parent)
    with pytest.raises(NotFound):
        services.create_post(author=ann, text="Hm", in_reply_to=parent, idempotency_key="k")
    assert services.create_post(author=ann, text="Other", idempotency_key="k")


@pytest.mark.django_db(transaction=True)
def test_one_key_used_by_many_at_once_makes_one_post():
    ann, parent = UserFactory(), PostFactory()
    start = threading.Barrier(6)

    def attempt(_: int) -> int:
        start.wait()
        try:
            return services.create_post(author=ann, text="Once", in_reply_to=parent, idempotency_key="k").pk
        finally:
            connection.close()

    with ThreadPoolExecutor(6) as pool:
        made = set(pool.map(attempt, range(6)))
    assert len(made) == 1
    parent.counts.refresh_from_db()
    assert parent.counts.replies == 1

"""What people do about posts: once, exactly counted, permitted, and undone."""

import math
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import IntegrityError, connection, transaction

from accounts import selectors as people
from accounts import services as accounts
from posts import services
from posts.models import Bookmark, Engagement, Impression, Post, PostCounts
from posts.types import EngagementKind, SeenPost, Surface
from tests.factories import MediaFactory, PostFactory, UserFactory
from xsocial.kernel.errors import Invalid, NotAllowed, NotFound
from xsocial.kernel.models import OutboxEvent

pytestmark = pytest.mark.django_db


def counts(post: Post) -> PostCounts:
    return PostCounts.objects.get(post=post)


def test_toggles_count_once_and_go_back_once():
    post, ann = PostFactory(), UserFactory()
    for _ in range(2):
        services.favorite(user=ann, post=post, surface=Surface.HOME_FOR_YOU, request_id=7)
        services.bookmark(user=ann, post=post)
    assert (counts(post).favorites, counts(post).bookmarks) == (1, 1)
    like = Engagement.objects.get(kind=EngagementKind.FAVORITE)
    assert (like.author_id, like.surface, like.request_id) == (post.author_id, Surface.HOME_FOR_YOU, 7)
    for _ in range(2):
        services.unfavorite(user=ann, post=post)
        services.unbookmark(user=ann, post=post)
    assert (counts(post).favorites, counts(post).bookmarks) == (0, 0)
    assert not Engagement.objects.exists()
    assert not Bookmark.objects.exists()
    assert OutboxEvent.objects.filter(name="posts.engaged").count() == 2
    assert OutboxEvent.objects.filter(name="posts.engagement_undone").count() == 2


def test_the_database_allows_one_like_per_person_and_post():
    post, ann = PostFactory(), UserFactory()
    row = {"user": ann, "post": post, "author_id": post.author_id}
    Engagement.objects.create(kind=EngagementKind.FAVORITE, **row)
    Engagement.objects.create(kind=EngagementKind.CLICK, **row)
    Engagement.objects.create(kind=EngagementKind.CLICK, **row)
    with pytest.raises(IntegrityError), transaction.atomic():
        Engagement.objects.create(kind=EngagementKind.FAVORITE, **row)


def test_a_repost_is_a_row_once_and_can_be_made_anew():
    post, ann = PostFactory(), UserFactory()
    row = services.repost(user=ann, post=post)
    assert services.repost(user=ann, post=row) == row
    assert (row.text, row.repost_of_id, counts(post).reposts) == ("", post.pk, 1)
    for _ in range(2):
        services.undo_repost(user=ann, post=row)
    ann.refresh_from_db()
    assert (counts(post).reposts, ann.posts_count) == (0, 0)
    assert services.repost(user=ann, post=post) != row
    assert Engagement.objects.filter(kind=EngagementKind.REPOST).count() == 1


def test_only_what_is_public_is_passed_on():
    ann, bob = UserFactory(), UserFactory()
    accounts.follow(follower=bob, followee=ann)
    private = PostFactory(author=ann, visibility="private")
    with pytest.raises(NotAllowed):
        services.repost(user=bob, post=private)
    assert services.repost(user=ann, post=private).visibility == "private"
    direct = PostFactory(author=ann, visibility="direct")
    with pytest.raises(NotAllowed):
        services.repost(user=ann, post=direct)


def test_acting_on_a_repost_acts_on_the_original():
    post, ann, bob = PostFactory(), UserFactory(), UserFactory()
    row = services.repost(user=ann, post=post)
    services.favorite(user=bob, post=row)
    services.record_engagement(user=bob, post_id=row.pk, kind=EngagementKind.CLICK)
    assert set(Engagement.objects.filter(user=bob).values_list("post_id", flat=True)) == {post.pk}
    services.unfavorite(user=bob, post=row)
    assert counts(post).favorites == 0


@pytest.mark.parametrize("act", [services.favorite, services.bookmark, services.repost, services.follow_author])
def test_what_one_may_not_see_one_may_not_act_on(act):
    post, ann = PostFactory(visibility="private"), UserFactory()
    with pytest.raises(NotFound):
        act(user=ann, post=post)
    accounts.follow(follower=ann, followee=post.author)
    if act is not services.repost:
        act(user=ann, post=post)


@pytest.mark.parametrize("kind", [k for k in EngagementKind if k not in (EngagementKind.REPLY, EngagementKind.QUOTE)])
def test_every_kind_is_logged_with_its_circumstances(kind):
    ann = UserFactory()
    owner = UserFactory()
    post = PostFactory(author=owner, media=[MediaFactory(owner=owner)], quote_of=PostFactory())
    Post.objects.filter(pk__in=(post.pk, post.quote_of_id)).update(video_duration_ms=9000)
    services.record_engagement(
        user=ann, post_id=str(post.pk), kind=int(kind), surface=Surface.HOME_FOR_YOU, seconds=2.5, request_id=5
    )
    logged = Engagement.objects.get(user=ann)
    assert (logged.kind, logged.post_id, logged.surface, logged.request_id) == (kind, post.pk, 1, 5)
    assert (
        OutboxEvent.objects.filter(name="posts.engaged", payload__kind=int(kind), payload__user_id=ann.pk).count() == 1
    )


def test_acts_on_the_author_change_the_graph_and_the_log_together():
    post, ann = PostFactory(), UserFactory()
    for kind in (EngagementKind.FOLLOW_AUTHOR, EngagementKind.MUTE_AUTHOR, EngagementKind.BLOCK_AUTHOR):
        services.record_engagement(user=ann, post_id=post.pk, kind=kind)
    stands = people.relationship(ann, post.author)
    assert (stands.is_following, stands.is_muting, stands.is_blocking) == (False, True, True)
    with pytest.raises(NotFound):
        services.record_engagement(user=ann, post_id=post.pk, kind=EngagementKind.CLICK)
    assert Engagement.objects.filter(user=ann).count() == 3


@pytest.mark.parametrize(
    "bad",
    [
        {"kind": 99},
        {"kind": EngagementKind.REPLY},
        {"kind": EngagementKind.CLICK, "surface": 77},
        {"kind": EngagementKind.DWELL},
        {"kind": EngagementKind.DWELL, "seconds": -1.0},
        {"kind": EngagementKind.DWELL, "seconds": math.nan},
        {"kind": EngagementKind.VIDEO_VIEW},
        {"kind": EngagementKind.PHOTO_EXPAND},
        {"kind": EngagementKind.QUOTED_CLICK},
    ],
)
def test_what_cannot_have_happened_is_refused(bad):
    with pytest.raises(Invalid):
        services.record_engagement(user=UserFactory(), post_id=PostFactory().pk, **bad)
    assert not Engagement.objects.exists()


@pytest.mark.parametrize("post_id", ["", "x", "-5", "9" * 30, 12345, "1e3"])
def test_forged_ids_are_not_found(post_id):
    with pytest.raises(NotFound):
        services.record_engagement(user=UserFactory(), post_id=post_id, kind=EngagementKind.CLICK)


def test_impressions_pass_over_what_cannot_be_seen_and_count_once_per_load(django_assert_max_num_queries):
    ann = UserFactory()
    first, own, hidden = PostFactory(), PostFactory(author=ann), PostFactory(visibility="private")
    row = services.repost(user=UserFactory(), post=first)
    batch = [SeenPost(first.pk, Surface.HOME_FOR_YOU, 0, 5, 2.0), SeenPost(row.pk, Surface.HOME_FOR_YOU, 1, 5)]
    batch += [SeenPost(own.pk, request_id=5), SeenPost(hidden.pk), SeenPost(1), SeenPost(-1), SeenPost(2**70)]
    with django_assert_max_num_queries(14):
        assert services.record_impressions(user=ann, impressions=batch) == 2
    assert services.record_impressions(user=ann, impressions=batch) == 0
    assert (counts(first).views, counts(own).views, counts(hidden).views) == (1, 0, 0)
    stored = Impression.objects.get(post_id=first.pk)
    assert (stored.author_id, stored.position, stored.seconds) == (first.author_id, 0, 2.0)
    assert services.record_impressions(user=ann, impressions=[SeenPost(first.pk, request_id=6)]) == 1
    assert counts(first).views == 2


@pytest.mark.parametrize(
    "bad",
    [
        [SeenPost(1)] * 201,
        [SeenPost(1, surface=99)],
        [SeenPost(1, position=-1)],
        [SeenPost(1, seconds=math.inf)],
        [SeenPost(1, propensity=0.0)],
    ],
)
def test_impossible_batches_are_refused(bad):
    with pytest.raises(Invalid):
        services.record_impressions(user=UserFactory(), impressions=bad)


@pytest.mark.django_db(transaction=True)
def test_counters_stay_exact_under_many_hands():
    first, second = PostFactory(), PostFactory()
    people_ = [UserFactory() for _ in range(4)]
    start = threading.Barrier(4)

    def churn(index: int) -> None:
        ann = people_[index]
        start.wait()
        try:
            for step in range(4):
                post, other = (first, second) if (step + index) % 2 else (second, first)
                services.favorite(user=ann, post=post)
                services.repost(user=ann, post=other)
                services.create_post(author=ann, text="Yes", in_reply_to=post, quote_of=other)
                services.record_impressions(user=ann, impressions=[SeenPost(post.pk), SeenPost(other.pk)])
                if step % 2:
                    services.unfavorite(user=ann, post=post)
                    services.undo_repost(user=ann, post=other)
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(churn, range(4)))
    for post in (first, second):
        stored, posts = counts(post), Post.objects.filter(deleted_at=None)
        likes = Engagement.objects.filter(post=post, kind=EngagementKind.FAVORITE).count()
        assert stored.favorites == likes
        assert stored.reposts == posts.filter(repost_of=post).count()
        assert stored.replies == posts.filter(in_reply_to=post).count() == 8
        assert stored.quotes == posts.filter(quote_of=post).count() == 8
        assert stored.views == 16
    for person in people_:
        person.refresh_from_db()
        assert person.posts_count == Post.objects.filter(author=person, deleted_at=None).count()

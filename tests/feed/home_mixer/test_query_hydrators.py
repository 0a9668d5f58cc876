"""Query hydrators one by one, and the outer pipeline's own."""

from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest

from accounts import services as accounts
from accounts.models import CreatorSubscription
from feed.home_mixer import bloom, candidate_cache, request_times
from feed.home_mixer.query_hydrators.blocked_user_ids_query_hydrator import BlockedUserIdsQueryHydrator
from feed.home_mixer.query_hydrators.cached_posts_query_hydrator import CachedPostsQueryHydrator
from feed.home_mixer.query_hydrators.followed_user_ids_query_hydrator import FollowedUserIdsQueryHydrator
from feed.home_mixer.query_hydrators.impressed_posts_query_hydrator import ImpressedPostsQueryHydrator
from feed.home_mixer.query_hydrators.impression_bloom_filter_query_hydrator import ImpressionBloomFilterQueryHydrator
from feed.home_mixer.query_hydrators.muted_user_ids_query_hydrator import MutedUserIdsQueryHydrator
from feed.home_mixer.query_hydrators.past_request_timestamps_query_hydrator import PastRequestTimestampsQueryHydrator
from feed.home_mixer.query_hydrators.retrieval_sequence_query_hydrator import RetrievalSequenceQueryHydrator
from feed.home_mixer.query_hydrators.scoring_sequence_query_hydrator import ScoringSequenceQueryHydrator
from feed.home_mixer.query_hydrators.served_history_query_hydrator import ServedHistoryQueryHydrator
from feed.home_mixer.query_hydrators.subscribed_user_ids_query_hydrator import SubscribedUserIdsQueryHydrator
from feed.home_mixer.query_hydrators.taste_query_hydrator import TasteQueryHydrator
from feed.models import ServedHistory
from posts import services as posts
from posts.models import Impression, Post
from tests.factories import PostFactory, UserFactory
from xsocial.kernel import clock

from .batches import batch, query

pytestmark = pytest.mark.django_db


@pytest.fixture
def ask(viewer):
    """Requests of the viewer, now."""
    return lambda **fields: replace(query(**fields), user_id=viewer.pk, now_ms=clock.now_ms() + 1_000)


def test_edges_of_the_viewer(viewer, friend, ask):
    blocked, muted, paid = (UserFactory() for _ in range(3))
    accounts.block(blocker=viewer, blocked=blocked)
    accounts.mute(muter=viewer, muted=muted)
    CreatorSubscription.objects.create(subscriber=viewer, author=paid)
    expected = {
        BlockedUserIdsQueryHydrator(): ("blocked_user_ids", blocked),
        MutedUserIdsQueryHydrator(): ("muted_user_ids", muted),
        FollowedUserIdsQueryHydrator(): ("followed_user_ids", friend),
        SubscribedUserIdsQueryHydrator(): ("subscribed_user_ids", paid),
    }
    asked = ask()
    for hydrator, (name, person) in expected.items():
        assert hydrator.enabled(asked)
        assert hydrator.hydrate(asked)[name].tolist() == [person.pk]


def test_the_taste_is_of_what_the_viewer_was_shown_before(viewer, friend, ask):
    asked = ask()
    assert not TasteQueryHydrator().hydrate(asked)["taste"].forms.any()
    for seconds, has_media in ((1.0, False), (9.0, True)):
        post, at = PostFactory(author=friend), clock.from_ms(asked.now_ms) - timedelta(minutes=9)
        Post.objects.filter(pk=post.pk).update(has_media=has_media)
        Impression.objects.create(user=viewer, post=post, author_id=friend.pk, seconds=seconds, created_at=at)
    words, pictures, _ = TasteQueryHydrator().hydrate(asked)["taste"].forms[0, 0]
    assert pictures > 0 > words


def test_both_sequences_are_one_history_of_their_own_length(viewer, ask):
    for _ in range(3):
        posts.favorite(user=viewer, post=PostFactory())
    asked = ask(params={"max_sequence_scoring": 2, "max_sequence_retrieval": 3})
    scoring = ScoringSequenceQueryHydrator().hydrate(asked)["scoring_sequence"]
    retrieval = RetrievalSequenceQueryHydrator().hydrate(asked)["retrieval_sequence"]
    assert (len(scoring), len(retrieval)) == (2, 3)
    assert scoring.post_ids.tolist() == retrieval.post_ids.tolist()[-2:]


@pytest.mark.parametrize(("stored", "is_enough"), [(0, False), (4, False), (5, True)])
def test_cached_posts_count_only_when_there_are_enough(ask, stored, is_enough):
    asked = ask(params={"cached_posts_threshold": 5}, topic_ids=(stored + 1,))
    if stored:
        candidate_cache.store(asked.cache_key, batch(author_id=list(range(1, stored + 1))), ttl_s=60)
    found = CachedPostsQueryHydrator().hydrate(asked)
    assert found.get("has_cached_posts", False) is is_enough
    assert not CachedPostsQueryHydrator().enabled(ask(params={"enable_cached_posts": False}))


def test_impressions_approximately_and_exactly(viewer, ask):
    seen, old = PostFactory(), PostFactory()
    for post, hours in ((seen, 1), (old, 60)):
        at = clock.now() - timedelta(hours=hours)
        Impression.objects.create(user=viewer, post=post, author_id=post.author_id, created_at=at)
    assert ImpressedPostsQueryHydrator().hydrate(ask())["impressed_post_ids"].tolist() == [seen.pk, old.pk]
    last = ImpressedPostsQueryHydrator().hydrate(ask(params={"impressed_limit": 1}))
    assert last["impressed_post_ids"].tolist() == [seen.pk]
    assert ImpressionBloomFilterQueryHydrator().hydrate(ask()) == {"bloom_filters": ()}
    bloom.add(viewer.pk, [seen.pk])
    (entry,) = ImpressionBloomFilterQueryHydrator().hydrate(ask())["bloom_filters"]
    assert entry.contains(np.array([seen.pk, old.pk])).tolist() == [True, False]


def served(viewer, minutes_ago, *entries, **fields):
    at = clock.now() - timedelta(minutes=minutes_ago)
    return ServedHistory.objects.create(
        user=viewer, request_id=minutes_ago, request_type="initial", served_at=at, entries=list(entries), **fields
    )


def test_served_ids_are_the_newest_hundred_of_ten_minutes(viewer, ask):
    served(viewer, 1, {"post_id": 5, "repost_of_id": 6}, {"post_id": 7})
    served(viewer, 2, {"post_id": 8})
    served(viewer, 11, {"post_id": 9})
    found = ServedHistoryQueryHydrator().hydrate(ask())
    assert found["served_ids"].tolist() == [5, 6, 7, 8]
    few = ServedHistoryQueryHydrator().hydrate(ask(params={"served_ids_limit": 2}))
    assert few["served_ids"].tolist() == [5, 6]
    assert not ServedHistoryQueryHydrator().enabled(ask(params={"enable_served_history": False}))


def test_pages_ago_are_counted_where_posts_may_return(viewer, ask):
    served(viewer, 1, {"post_id": 5})
    served(viewer, 2, {"post_id": 5, "repost_of_id": 6})
    on = ask(params={"reexposure_enabled": True})
    ids, ages = ServedHistoryQueryHydrator().hydrate(on)["served_order"]
    assert dict(zip(ids.tolist(), ages.tolist(), strict=True)) == {5: 0, 6: 1}


def test_request_times_are_the_viewers(viewer, ask):
    request_times.add(viewer.pk, 4)
    request_times.add(viewer.pk, 9)
    assert PastRequestTimestampsQueryHydrator().hydrate(ask()) == {"request_times_ms": (9, 4), "following_at_ms": 0}
    request_times.note_following(viewer.pk, 7)
    assert PastRequestTimestampsQueryHydrator().hydrate(ask())["following_at_ms"] == 7
    assert not PastRequestTimestampsQueryHydrator().enabled(ask(params={"enable_served_history": False}))

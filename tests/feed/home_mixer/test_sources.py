"""Sources one by one: when each runs, and what it gives; and what a replayed request runs and skips."""

from dataclasses import replace

import numpy as np
import pytest

from accounts import services as accounts
from accounts.selectors.graph import ViewerSettings
from feed import services, tasks
from feed.candidate_pipeline import Result
from feed.home_mixer import candidate_cache, popular, query_builder, request_times, served_types
from feed.home_mixer.candidate import SCHEMA
from feed.home_mixer.candidate_hydrators.engagement_counts_candidate_hydrator import (
    EngagementCountsCandidateHydrator,
    ttl_s,
)
from feed.home_mixer.params import Params
from feed.home_mixer.process_cache import ProcessCache
from feed.home_mixer.scorers.ranking_scorer import RankingScorer
from feed.home_mixer.scorers.vm_ranker import VMRanker
from feed.home_mixer.side_effects.for_you_response_stats_side_effect import ForYouResponseStatsSideEffect
from feed.home_mixer.side_effects.publish_seen_ids_side_effect import PublishSeenIdsSideEffect
from feed.home_mixer.side_effects.redis_post_candidate_cache_side_effect import RedisPostCandidateCacheSideEffect
from feed.home_mixer.side_effects.truncate_served_history_side_effect import TruncateServedHistorySideEffect
from feed.home_mixer.side_effects.update_past_request_timestamps_side_effect import (
    UpdatePastRequestTimestampsSideEffect,
)
from feed.home_mixer.side_effects.update_served_history_side_effect import UpdateServedHistorySideEffect
from feed.home_mixer.sources.ads_source import AdsSource
from feed.home_mixer.sources.cached_posts_source import CachedPostsSource
from feed.home_mixer.sources.phoenix_source import PhoenixSource
from feed.home_mixer.sources.phoenix_topics_source import PhoenixTopicsSource
from feed.home_mixer.sources.prompts_source import PromptsSource
from feed.home_mixer.sources.push_to_home_source import PushToHomeSource
from feed.home_mixer.sources.scored_posts_source import ScoredPostsSource
from feed.home_mixer.sources.thunder_source import ThunderSource
from feed.home_mixer.sources.tweet_mixer_source import TweetMixerSource
from feed.home_mixer.sources.who_to_follow_source import WhoToFollowSource
from feed.types import FeedRequest
from posts.models import PostCounts
from tests.factories import PostFactory, TopicFactory, UserFactory
from xsocial.kernel import clock, ids, redis

from .batches import VIEWER, batch, live, query

SIX, SEVEN = tuple(range(1, 7)), tuple(range(1, 8))
YOUNG = {"new_user_topic_ids": (4,)}


@pytest.mark.parametrize(
    ("fields", "thunder", "phoenix", "topics"),
    [
        ({}, True, True, False),
        ({"has_cached_posts": True}, False, False, False),
        ({"in_network_only": True}, True, False, False),
        ({"topic_ids": SIX}, True, False, True),
        ({"topic_ids": SEVEN}, True, True, False),
        (YOUNG, True, False, True),
        ({**YOUNG, "params": {"enable_phoenix_topics": False}}, True, True, False),
        ({**YOUNG, "in_network_only": True}, True, False, False),
        ({"topic_ids": SIX, "has_cached_posts": True}, False, False, False),
        ({"params": {"enable_phoenix_source": False}}, True, False, False),
    ],
)
def test_when_the_post_sources_run(fields, thunder, phoenix, topics):
    asked = query(**fields)
    sources = (ThunderSource(), PhoenixSource(), PhoenixTopicsSource())
    assert [source.enabled(asked) for source in sources] == [thunder, phoenix, topics]
    assert CachedPostsSource().enabled(asked) is asked.has_cached_posts


def test_popular_posts_are_for_thin_networks_and_off_upstream():
    on = {"enable_popular": True}
    runs = TweetMixerSource().enabled
    assert not runs(query())
    assert runs(query(params=on))
    assert not runs(query(params=on, followed_user_ids=list(range(1, 21))))
    assert not runs(query(params=on, in_network_only=True))
    assert not runs(query(params=on, has_cached_posts=True))


@pytest.mark.django_db
def test_popular_posts_are_counted_once_and_by_the_page_only_where_nobody_counts():
    def liked():
        post = PostFactory()
        PostCounts.objects.update_or_create(post=post, defaults={"favorites": 5})
        return post.pk

    first = liked()
    assert popular.newer_than(clock.now_ms() - 60_000, limit=9).tolist() == [first]
    assert tasks.count_popular() == 1
    liked()
    assert popular.newer_than(clock.now_ms() - 60_000, limit=9).tolist() == [first]
    assert popular.newer_than(clock.now_ms() + 60_000, limit=9).tolist() == []


@pytest.mark.parametrize(
    ("fields", "ads", "people", "prompts", "push"),
    [
        ({}, True, False, True, False),
        ({"is_preview": True}, False, False, True, False),
        ({"who_to_follow_eligible": True}, True, True, True, False),
        ({"who_to_follow_eligible": True, "params": {"enable_who_to_follow": False}}, True, False, True, False),
        ({"params": {"enable_ads": False, "enable_prompts": False}}, False, False, False, False),
        ({"push_to_home_post_id": 5}, True, False, True, True),
        ({"has_cached_posts": True}, True, False, True, False),
    ],
)
def test_when_the_outer_sources_run(fields, ads, people, prompts, push):
    asked = query(**fields)
    sources = (AdsSource(), WhoToFollowSource(), PromptsSource(), PushToHomeSource())
    assert [source.enabled(asked) for source in sources] == [ads, people, prompts, push]
    assert ScoredPostsSource(services.pipelines()[0]).enabled(asked)


@pytest.mark.django_db
def test_thunder_gives_ancestors_and_who_answered_whom(viewer, friend):
    root = PostFactory(author=friend)
    other = UserFactory()
    accounts.follow(follower=viewer, followee=other)
    first = PostFactory(author=other, in_reply_to=root)
    deep = PostFactory(author=friend, in_reply_to=first)
    asked = replace(query(followed_user_ids=[friend.pk, other.pk]), user_id=viewer.pk)
    found = ThunderSource().fetch(asked)
    by_id = dict(zip(found["post_id"].tolist(), found["ancestors"], strict=True))
    assert by_id[root.pk] == ()
    assert by_id[first.pk] == (root.pk,)
    assert by_id.get(deep.pk, (first.pk, root.pk)) == (first.pk, root.pk)
    authors, parents = asked.memo.get("in_network_replies")
    assert (other.pk, root.pk) in set(zip(authors.tolist(), parents.tolist(), strict=True))
    assert set(found["served_type"]) == {served_types.IN_NETWORK}
    ranked = ThunderSource().fetch(replace(asked, in_network_only=True))
    assert set(ranked["served_type"]) == {served_types.RANKED_FOLLOWING}
    without = ThunderSource().fetch(replace(asked, seen_ids=np.array([root.pk])))
    assert root.pk not in without["post_id"].tolist()


# --- The cached-request matrix --------------------------------------------------------------------

# What still runs on a replayed request besides query hydrators, filters and what follows the selection.
STILL_RUNS = {"CachedPostsSource", "FilteredTopicsCandidateHydrator", "RankingScorer", "VMRanker"}
# What a parameter or the viewer decides, whether the request is replayed or not.
ASKED_FOR = {
    "params": {"enable_simclusters": True, "enable_moe": True, "enable_popular": True, "enable_jaccard": True},
    "topic_ids": SEVEN,
    "engagement_signals": np.array([[0, 1, 2]]),
}


def running(asked, stage):
    inner = services.pipelines()[0]
    parts = dict(inner.stages())[stage]
    return {part.name for part in parts if part.enabled(asked)}


def test_a_replayed_request_runs_exactly_what_the_matrix_says():
    fresh, replayed = query(**ASKED_FOR), query(**ASKED_FOR, has_cached_posts=True)
    assert running(replayed, "Source") == {"CachedPostsSource"}
    assert running(replayed, "Hydrator") == STILL_RUNS & running(replayed, "Hydrator") != set()
    assert running(replayed, "Scorer") == {"RankingScorer", "AuthorStandingScorer", "VMRanker"}
    skipped = running(fresh, "Hydrator") - running(replayed, "Hydrator")
    assert {"CoreDataCandidateHydrator", "GizmoduckCandidateHydrator", "InNetworkCandidateHydrator"} <= skipped
    for stage in ("QueryHydrator", "Filter", "Selector", "PostSelectionHydrator", "PostSelectionFilter"):
        assert running(fresh, stage) == running(replayed, stage), stage
    sequences = {"ScoringSequenceQueryHydrator", "RetrievalSequenceQueryHydrator"}
    assert sequences <= running(fresh, "DependentQueryHydrator")
    assert running(replayed, "DependentQueryHydrator") == set()
    for asks_still, wanted in (
        ({"is_shadow_traffic": True}, {"ScoringSequenceQueryHydrator", "TasteQueryHydrator"}),
        ({"params": {"value_mode": "gated_dwell_regret"}}, {"ScoringSequenceQueryHydrator"}),
    ):
        judged = query(has_cached_posts=True, **asks_still)
        assert running(judged, "DependentQueryHydrator") == wanted
    assert running(fresh, "SideEffect") - running(replayed, "SideEffect") == {"RedisPostCandidateCacheSideEffect"}


# --- What keeps a page's candidates and history -----------------------------------------------------


def result(asked, selected, rest=None):
    from feed.candidate_pipeline import Batch

    return Result(asked, selected, (), selected, rest if rest is not None else Batch.empty(selected.schema))


def test_the_best_candidates_are_kept_for_three_minutes():
    asked = query(params={"max_posts_to_cache": 3, "cached_posts_threshold": 2}, topic_ids=(77,))
    selected = batch(author_id=[1, 2], weighted_score=[0.2, 0.9])
    rest = batch(post_id=[8, 9, 10], author_id=[3, 4, 5], weighted_score=[0.5, 0.0, np.nan])
    RedisPostCandidateCacheSideEffect().run(result(asked, selected, rest))
    assert candidate_cache.load(asked.cache_key)["post_id"].tolist() == [2, 8, 1]
    assert 170 < redis.client("cache").ttl(asked.cache_key) <= 180
    assert not RedisPostCandidateCacheSideEffect().enabled(query(has_cached_posts=True))


def test_the_key_of_the_cache_tells_requests_apart_that_differ():
    asked = [query(), query(in_network_only=True), query(exclude_videos=True), query(topic_ids=(1,))]
    assert len({each.cache_key for each in asked}) == 4


def test_seen_ids_are_published_when_there_are_any():
    effect = PublishSeenIdsSideEffect()
    assert effect.enabled(query(seen_ids=[1]))
    assert not effect.enabled(query())
    assert not effect.enabled(query(seen_ids=[1], params={"enable_publish_seen": False}))


@pytest.mark.parametrize(
    ("fields", "counts"),
    [({}, True), ({"is_polling": True}, False), ({"request_context": "background_fetch"}, False)],
)
def test_only_people_are_noted_as_asking(fields, counts):
    assert UpdatePastRequestTimestampsSideEffect().enabled(query(**fields)) is counts


def test_a_request_is_put_in_front():
    UpdatePastRequestTimestampsSideEffect().run(result(query(), batch(author_id=[1])))
    assert request_times.load(VIEWER) == ((query().now_ms,), 0)


@pytest.mark.parametrize(
    "effect",
    [UpdateServedHistorySideEffect(), TruncateServedHistorySideEffect(), UpdatePastRequestTimestampsSideEffect()],
)
def test_without_served_history_nothing_is_written(effect):
    assert effect.enabled(query())
    assert not effect.enabled(query(params={"enable_served_history": False}))


def test_page_statistics_are_for_every_page():
    assert ForYouResponseStatsSideEffect().enabled(query(is_preview=True))


@pytest.mark.parametrize(
    ("fields", "kind"),
    [
        ({}, "initial"),
        ({"is_polling": True, "has_cursor": True}, "polling"),
        ({"has_cursor": True, "is_bottom_request": True}, "older"),
        ({"has_cursor": True, "is_top_request": True}, "newer"),
        ({"has_cursor": True, "is_gap_request": True}, "middle"),
        ({"has_cursor": True}, "other"),
    ],
)
def test_kinds_of_requests(fields, kind):
    assert query(**fields).query_type == kind


def test_the_schema_and_the_defaults_agree_with_the_published_sizes():
    values = Params()
    assert (values.thunder_max_results, values.phoenix_max_results, values.moe_max_results) == (1200, 1000, 200)
    assert (values.cached_posts_threshold, values.max_posts_to_cache, values.cache_ttl_s) == (500, 750, 180)
    assert (values.top_k, values.result_size) == (50, 35)
    assert "heads" in SCHEMA


# --- Counts, viewer data, contexts ------------------------------------------------------------------


@pytest.mark.django_db
def test_counts_are_kept_by_age_upstream_and_read_anew_on_a_small_platform(monkeypatch):
    reads = []

    def count_rows(ids):
        reads.append(len(ids))
        return np.full((len(ids), 5), float(len(reads)))

    monkeypatch.setattr("posts.selectors.hydration.count_rows", count_rows)
    hydrator, rows = EngagementCountsCandidateHydrator(), batch(author_id=[1, 2])
    kept, anew = query(), query(params={"cache_engagement_counts": False})
    assert [hydrator.hydrate(kept, rows).columns["views"][0] for _ in range(2)] == [1.0, 1.0]
    assert [hydrator.hydrate(anew, rows).columns["views"][0] for _ in range(2)] == [2.0, 3.0]
    assert reads == [2, 2, 2]
    now = clock.now_ms()
    assert [ttl_s(ids.id_at(now - minutes * 60_000)) for minutes in (29, 31)] == [300.0, 600.0]


def test_a_process_cache_forgets_in_time_and_is_bounded(monkeypatch):
    at = [0.0]
    monkeypatch.setattr("feed.home_mixer.process_cache.time.monotonic", lambda: at[0])
    cache = ProcessCache(2, lambda key: 10.0 * key)
    cache.set_many({1: ("a",), 2: ("b",)})
    at[0] = 15.0
    assert cache.get_many([1, 2, 3]) == {2: ("b",)}
    cache.set_many({3: ("c",)})
    assert cache.get_many([1, 2, 3]) == {2: ("b",), 3: ("c",)}


@pytest.mark.django_db
@pytest.mark.parametrize("fault", [RuntimeError, "hang"])
def test_viewer_data_that_does_not_come_becomes_defaults(viewer, monkeypatch, fault):
    def broken(user_id):
        if fault == "hang":
            return
        raise fault("gone")

    monkeypatch.setattr("accounts.selectors.graph.viewer_settings", broken)
    asked = query_builder.build(viewer.pk, FeedRequest())
    assert (asked.viewer, asked.muted_keywords) == (ViewerSettings(), ())


@pytest.mark.django_db
@pytest.mark.parametrize("context", ["foreground-truncate", "Foreground_Truncate"])
def test_contexts_are_read_in_either_spelling(viewer, context):
    assert query_builder.build(viewer.pk, FeedRequest(context=context)).request_context == "foreground_truncate"
    assert query_builder.build(viewer.pk, FeedRequest(context="never heard of")).request_context == "never heard of"


@pytest.mark.django_db
def test_pull_to_refresh_shows_what_is_newer(viewer, friend, models):
    old = PostFactory(author=friend)
    first = services.for_you(viewer)
    assert [item.post_id for item in first.items] == [old.pk]
    new = PostFactory(author=friend)
    asked = FeedRequest(cursor=first.top_cursor, context="pull_to_refresh")
    second, result_ = services.load_for_you(viewer, request=asked)
    assert [item.post_id for item in second.items] == [new.pk]
    assert result_.query.query_type == "newer"


@pytest.mark.django_db
def test_served_ids_of_a_cursor_hold_even_while_the_history_fails(viewer, friend, models, monkeypatch):
    shown = PostFactory(author=friend)
    first = services.for_you(viewer)
    left = PostFactory(author=friend)
    monkeypatch.setattr("xsocial.kernel.sql.rows", lambda *_: 1 / 0)
    monkeypatch.setattr("feed.weights.live", lambda viewer: live())
    second = services.for_you(viewer, request=FeedRequest(cursor=first.cursor, platform="other"))
    assert shown.pk not in [item.post_id for item in second.items]
    assert left.pk in [item.post_id for item in second.items]


@pytest.mark.django_db
def test_a_ranked_following_page_has_its_own_length(viewer, friend, models, monkeypatch):
    for _ in range(4):
        PostFactory(author=friend)
    monkeypatch.setattr("feed.weights.live", lambda viewer: live(ranked_following_size=3))
    assert len(services.for_you(viewer, request=FeedRequest(in_network_only=True)).items) == 3


@pytest.mark.django_db
def test_a_topic_page_asks_for_what_is_below_the_topic_too(monkeypatch):
    asked_for = []
    monkeypatch.setattr("feed.home_mixer.retrieval.fetch", lambda query, *, topic_ids, **_: asked_for.append(topic_ids))
    above = TopicFactory()
    below = TopicFactory(parent=above)
    PhoenixTopicsSource().fetch(query(topic_ids=(above.pk,)))
    assert asked_for == [tuple(sorted([above.pk, below.pk]))]


def test_whatever_the_ranking_reads_is_kept_for_the_next_page():
    """A replayed page must rank as the fresh one would: hydrators do not run again."""
    reads = set(RankingScorer.reads) | set(VMRanker.reads)
    assert reads - set(candidate_cache.COLUMNS) == {"score"}

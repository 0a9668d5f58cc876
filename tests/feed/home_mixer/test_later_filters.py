"""Filters added upstream between May and August 2026."""

import numpy as np
import pytest

from feed.home_mixer import served_types
from feed.home_mixer.candidate import NO, UNKNOWN, YES
from feed.home_mixer.candidate_hydrators.related_posts_candidate_hydrator import RelatedPostsCandidateHydrator
from feed.home_mixer.filters.inventory_holdout_filter import InventoryHoldoutFilter, bucket
from feed.home_mixer.filters.muted_keyword_filter import MutedKeywordFilter
from feed.home_mixer.filters.new_user_min_engagement_filter import (
    DAY_MS,
    NewUserMinEngagementFilter,
    engagement,
    seconds_since_return,
)
from feed.home_mixer.filters.oon_nsfw_simclusters_filter import OONNsfwSimclustersFilter
from feed.home_mixer.filters.oon_retweet_reply_filter import OONRetweetReplyFilter
from feed.home_mixer.filters.policy_exclusion_filter import PolicyExclusionFilter
from feed.home_mixer.query_hydrators.policy_exclusions_query_hydrator import PolicyExclusionsQueryHydrator
from feed.models import PolicyExclusion
from tests.factories import PostFactory, UserFactory
from xsocial.kernel import clock

from .batches import NOW_MS, batch, query
from .test_filters import kept

FAR = {"min_engagement_enabled": True, "min_engagement": 5.0}


def test_strangers_reposts_and_replies_are_not_recommended():
    columns = {
        "in_network": [NO, NO, NO, YES, YES, UNKNOWN],
        "repost_of_id": [0, 9, 0, 9, 0, 9],
        "in_reply_to_id": [0, 0, 9, 0, 9, 0],
        "ancestors": [(), (), (9,), (), (9,), ()],
    }
    assert kept(OONRetweetReplyFilter(), query(), **columns) == [0, 3, 4, 5]
    assert not OONRetweetReplyFilter().enabled(query(params={"enable_oon_repost_reply_filter": False}))


def test_a_reply_without_its_conversation_goes_whoever_wrote_it():
    columns = {"in_network": [YES, YES], "in_reply_to_id": [9, 9], "ancestors": [(), None]}
    assert kept(OONRetweetReplyFilter(), query(), **columns) == []


def test_a_switch_lets_strangers_replies_through_that_phoenix_found():
    columns = {
        "in_network": [NO, NO],
        "in_reply_to_id": [9, 9],
        "ancestors": [(9,), (9,)],
        "served_type": [served_types.PHOENIX, served_types.SIMCLUSTERS],
    }
    asked = query(params={"allow_oon_phoenix_replies": True})
    assert kept(OONRetweetReplyFilter(), asked, **columns) == [0]
    assert kept(OONRetweetReplyFilter(), query(), **columns) == []


def test_adult_authors_are_not_recommended_by_communities():
    columns = {
        "served_type": [
            served_types.SIMCLUSTERS,
            served_types.SIMCLUSTERS,
            served_types.PHOENIX,
            served_types.SIMCLUSTERS,
        ],
        "in_network": [NO, YES, NO, NO],
        "author_is_adult": [YES, YES, YES, UNKNOWN],
    }
    assert kept(OONNsfwSimclustersFilter(), query(), **columns) == [1, 2, 3]


def test_policy_exclusions_reach_through_reposts_quotes_and_answers():
    asked = query(policy_excluded_ids=[66, 77], followed_user_ids=[77])
    columns = {
        "author_id": [66, 1, 1, 1, 77, 1],
        "repost_of_user_id": [0, 66, 0, 0, 0, 0],
        "quote_of_user_id": [0, 0, 66, 0, 0, 77],
        "ancestor_authors": [(), (), (), (5, 66), None, (77,)],
    }
    assert kept(PolicyExclusionFilter(), asked, **columns) == [4, 5]
    assert not PolicyExclusionFilter().enabled(query())


@pytest.mark.django_db
def test_exclusions_have_dates_and_countries():
    here, there, later, over = (UserFactory() for _ in range(4))
    now = clock.now()
    day = clock.from_ms(clock.now_ms() + DAY_MS)
    PolicyExclusion.objects.create(account=here, reason="a rule")
    PolicyExclusion.objects.create(account=there, reason="a rule", country_code="NL")
    PolicyExclusion.objects.create(account=later, reason="a rule", starts_at=day)
    PolicyExclusion.objects.create(
        account=over, reason="a rule", starts_at=clock.from_ms(clock.now_ms() - 2 * DAY_MS), ends_at=now
    )
    found = PolicyExclusionsQueryHydrator().hydrate(query(country_code="DE"))["policy_excluded_ids"]
    assert found.tolist() == [here.pk]
    found = PolicyExclusionsQueryHydrator().hydrate(query(country_code="NL"))["policy_excluded_ids"]
    assert found.tolist() == sorted([here.pk, there.pk])


@pytest.mark.django_db
def test_related_posts_are_read_only_when_a_filter_asks():
    root = PostFactory(text="the root")
    quoted = PostFactory(text="the quoted")
    reply = PostFactory(in_reply_to=root, quote_of=quoted)
    plain = query(in_network_only=True)
    strict = query(in_network_only=True, muted_keywords=("x",))
    hydrator = RelatedPostsCandidateHydrator()
    assert [hydrator.enabled(asked) for asked in (plain, strict, query(policy_excluded_ids=[1]))] == [False, True, True]
    rows = batch(post_id=[reply.pk, root.pk], ancestors=[(root.pk,), ()])
    answer = hydrator.hydrate(strict, rows)
    assert answer["ancestor_authors"] == [(root.author_id,), ()]
    assert answer["related_texts"] == [("the root", "the quoted"), ()]


@pytest.mark.parametrize(("in_network_only", "left"), [(True, [2]), (False, [1, 2])])
def test_following_also_mutes_what_a_post_answers_and_quotes(in_network_only, left):
    asked = query(muted_keywords=("spoiler",), in_network_only=in_network_only)
    columns = {"text": ["a spoiler", "look", "look"], "related_texts": [(), ("the Spoiler!",), ("fine",)]}
    assert kept(MutedKeywordFilter(), asked, **columns) == left


# --- Engagement floor ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("params", "values"),
    [
        ({}, [4, 10, np.nan]),
        ({"min_engagement_metric": "engagement"}, [10, 10, np.nan]),
        ({"min_engagement_metric": "views"}, [100, 0, np.nan]),
        ({"min_engagement_ratio": True}, [0.04, np.nan, np.nan]),
    ],
)
def test_the_figure_of_the_floor(params, values):
    rows = batch(
        favorites=[4.0, 10.0, np.nan],
        replies=[3.0, np.nan, 1.0],
        reposts=[2.0, np.nan, 1.0],
        quotes=[1.0, np.nan, 1.0],
        views=[100.0, 0.0, np.nan],
    )
    assert engagement(query(params=params), rows).tolist() == pytest.approx(values, nan_ok=True)


def test_the_floor_drops_strangers_below_it_and_keeps_the_unknown():
    columns = {"favorites": [4.0, 5.0, np.nan, 0.0], "in_network": [NO, NO, NO, YES]}
    assert kept(NewUserMinEngagementFilter(), query(params=FAR), **columns) == [1, 2, 3]
    nothing = {"favorites": [np.nan, np.nan], "in_network": [NO, NO]}
    assert kept(NewUserMinEngagementFilter(), query(params=FAR), **nothing) == [0, 1]


def test_the_floor_is_for_new_and_returned_viewers():
    back = query(params=FAR, request_times_ms=(NOW_MS - 60_000, NOW_MS - 40 * DAY_MS))
    just_now = query(params=FAR, request_times_ms=(NOW_MS - 31 * DAY_MS,))
    steady = query(params=FAR, request_times_ms=(NOW_MS - DAY_MS, NOW_MS - 2 * DAY_MS))
    assert seconds_since_return(back) == 60
    assert seconds_since_return(just_now) == 0
    assert seconds_since_return(steady) == float("inf")
    reads_following = query(request_times_ms=just_now.request_times_ms, following_at_ms=NOW_MS - 5 * DAY_MS)
    assert seconds_since_return(reads_following) == float("inf")
    runs = NewUserMinEngagementFilter().enabled
    assert [runs(back), runs(just_now), runs(steady), runs(query(params=FAR))] == [True, True, False, False]
    assert not runs(query(request_times_ms=back.request_times_ms))


# --- Holdout ------------------------------------------------------------------------------------


@pytest.mark.parametrize(("post", "viewer", "expected"), [(123, 456, 52), (1, 42, 10), (9000, 555, 26)])
def test_g9_buckets(post, viewer, expected):
    assert bucket(np.array([post]), viewer).tolist() == [expected]


def test_g9_share_of_one_percent():
    share = (bucket(np.arange(1, 200_001), 987_654_321) < 1).mean()
    assert share == pytest.approx(0.00978, abs=0.0002)


def test_holdout_has_shares_for_originals_replies_and_reposts():
    columns = {"post_id": [1, 2, 3], "in_reply_to_id": [0, 9, 9], "repost_of_id": [0, 0, 9]}
    for place, name in enumerate(("originals", "replies", "reposts")):
        asked = query(params={"holdout_enabled": True, f"holdout_{name}_percent": 100})
        assert place not in kept(InventoryHoldoutFilter(), asked, **columns)
        assert len(kept(InventoryHoldoutFilter(), asked, **columns)) == 2
    assert not InventoryHoldoutFilter().enabled(query())

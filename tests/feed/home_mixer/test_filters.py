"""Every filter's rule, on small batches and without a database."""

import numpy as np
import pytest

from feed.home_mixer import bloom, topics
from feed.home_mixer.candidate import NO, UNKNOWN, YES
from feed.home_mixer.filters.age_filter import AgeFilter
from feed.home_mixer.filters.ancillary_vf_filter import AncillaryVFFilter
from feed.home_mixer.filters.author_socialgraph_filter import AuthorSocialgraphFilter
from feed.home_mixer.filters.core_data_hydration_filter import CoreDataHydrationFilter
from feed.home_mixer.filters.dedup_conversation_filter import DedupConversationFilter
from feed.home_mixer.filters.drop_duplicates_filter import DropDuplicatesFilter
from feed.home_mixer.filters.ineligible_subscription_filter import IneligibleSubscriptionFilter
from feed.home_mixer.filters.language_filter import LanguageFilter
from feed.home_mixer.filters.muted_keyword_filter import MutedKeywordFilter
from feed.home_mixer.filters.new_user_topic_ids_filter import NewUserTopicIdsFilter
from feed.home_mixer.filters.previously_seen_posts_backup_filter import PreviouslySeenPostsBackupFilter
from feed.home_mixer.filters.previously_seen_posts_filter import PreviouslySeenPostsFilter
from feed.home_mixer.filters.previously_served_posts_filter import PreviouslyServedPostsFilter
from feed.home_mixer.filters.retweet_deduplication_filter import RetweetDeduplicationFilter
from feed.home_mixer.filters.screened_filter import ScreenedFilter
from feed.home_mixer.filters.self_tweet_filter import SelfTweetFilter
from feed.home_mixer.filters.topic_ids_filter import TopicIdsFilter
from feed.home_mixer.filters.vf_filter import VFFilter
from feed.home_mixer.filters.video_filter import VideoFilter

from .batches import VIEWER, batch, post_id, query


def kept(filter_, asked, **columns):
    """Row numbers that stay."""
    rows = batch(**columns)
    mask = filter_.keep(asked, rows)
    assert mask.shape == (rows.n,)
    return np.flatnonzero(mask).tolist()


def test_drop_duplicates_keeps_the_first():
    assert kept(DropDuplicatesFilter(), query(), post_id=[5, 3, 5, 3, 4]) == [0, 1, 4]


def test_core_data_drops_unknown_authors():
    assert kept(CoreDataHydrationFilter(), query(), author_id=[7, 0]) == [0]


def test_age_drops_older_than_48_hours_and_keeps_the_boundary():
    ids = [post_id(1), post_id(48), post_id(48.001), 0]
    assert kept(AgeFilter(), query(), post_id=ids) == [0, 1]


def test_a_repost_has_its_own_age():
    assert kept(AgeFilter(), query(), post_id=[post_id(1)], repost_of_id=[post_id(90)]) == [0]


def test_self_post_drops_own_but_keeps_a_friends_repost_of_it():
    asked = query()
    columns = {"author_id": [VIEWER, 9], "repost_of_user_id": [0, VIEWER]}
    assert kept(SelfTweetFilter(), asked, **columns) == [1]


def test_original_and_reposts_share_one_place():
    columns = {"post_id": [10, 20, 30, 40], "repost_of_id": [0, 10, 5, 5]}
    assert kept(RetweetDeduplicationFilter(), query(), **columns) == [0, 2]


def test_subscriber_posts_need_a_subscription():
    asked = query(subscribed_user_ids=[7])
    assert kept(IneligibleSubscriptionFilter(), asked, subscription_author_id=[0, 7, 8]) == [0, 1]


RELATED = {"post_id": [1, 2, 3, 4], "repost_of_id": [0, 90, 0, 0], "in_reply_to_id": [0, 0, 91, 0]}


@pytest.mark.parametrize(
    ("seen", "left"), [([1], [1, 2, 3]), ([90], [0, 2, 3]), ([91], [0, 1, 3]), ([0], [0, 1, 2, 3])]
)
@pytest.mark.parametrize(
    ("filter_", "field"),
    [
        (PreviouslySeenPostsFilter(), "seen_ids"),
        (PreviouslySeenPostsBackupFilter(), "impressed_post_ids"),
        (PreviouslyServedPostsFilter(), "served_ids"),
    ],
)
def test_seen_and_served_look_at_the_post_its_original_and_its_parent(filter_, field, seen, left):
    assert kept(filter_, query(**{field: seen}), **RELATED) == left


def test_seen_posts_are_also_found_in_an_impression_filter():
    size = bloom.shape(100, 0.01)
    bits = np.zeros(size.bits, bool)
    bits[bloom.positions(np.array([90, 4]), size)] = True
    asked = query(bloom_filters=(bloom.Filter(bits, size),))
    assert kept(PreviouslySeenPostsFilter(), asked, **RELATED) == [0, 2]


@pytest.mark.parametrize(
    ("fields", "runs"),
    [
        ({}, True),
        ({"params": {"filter_served_always": False}}, False),
        ({"params": {"filter_served_always": False}, "is_bottom_request": True}, True),
        (
            {
                "params": {"filter_served_always": False},
                "is_bottom_request": True,
                "request_context": "foreground_truncate",
            },
            False,
        ),
    ],
)
def test_when_the_served_filter_runs(fields, runs):
    assert PreviouslyServedPostsFilter().enabled(query(**fields)) is runs


@pytest.mark.parametrize(
    ("muted", "text", "stays"),
    [
        ("art", "a party downtown", True),
        ("art", "modern ART!", False),
        ("art", "#art is here", False),
        ("new york", "in New York today", False),
        ("new york", "new in york", True),
        ("", "anything", True),
        ("🎉", "well done 🎉", False),
        ("art", None, True),
    ],
)
def test_muted_keywords_match_whole_tokens_in_a_row(muted, text, stays):
    assert bool(kept(MutedKeywordFilter(), query(muted_keywords=(muted,)), text=[text])) is stays


def test_author_socialgraph_has_six_conditions_and_two_exceptions():
    rows = {
        "author_id": [1, 2, 3, 4, 5, 6, 7, 8],
        "repost_of_user_id": [0, 0, 0, 0, 0, 60, 61, 0],
        "quote_of_user_id": [0, 0, 0, 0, 50, 0, 0, 51],
        "author_blocks_viewer": [NO, NO, YES, UNKNOWN, NO, NO, NO, NO],
        "quoted_author_blocks_viewer": [NO, NO, NO, YES, NO, NO, NO, NO],
    }
    asked = query(muted_user_ids=[1, 61, 51], blocked_user_ids=[2, 50, 60])
    # Kept: a merely muted reposted author (row 6) and a merely muted quoted author (row 7).
    assert kept(AuthorSocialgraphFilter(), asked, **rows) == [6, 7]


def test_video_filter_only_on_request():
    assert not VideoFilter().enabled(query())
    assert kept(VideoFilter(), query(exclude_videos=True), video_ms=[np.nan, 1.0]) == [0]


# sports(1) > football(2) > league(3); music(4) > jazz(5)
TREE = topics.TopicTree({1: None, 2: 1, 3: 2, 4: None, 5: 4})


def topic_query(**fields):
    asked = query(**fields)
    asked.memo.put("topics", TREE)
    return asked


@pytest.mark.parametrize(
    ("wanted", "filtered", "unfiltered", "stays"),
    [
        ((2,), {2}, {2}, True),
        ((2,), {3}, {3}, True),  # below what was asked
        ((2,), set(), {2}, False),  # not confident enough, and nothing else
        ((2,), {1}, {2, 1}, True),  # weak on the topic, confident on its super-topic
        ((2,), {4}, {2, 4}, False),
        ((2, 5), {5}, {5}, True),
    ],
)
def test_an_ordinary_topic_page(wanted, filtered, unfiltered, stays):
    asked = topic_query(topic_ids=wanted)
    columns = {"filtered_topics": [filtered], "unfiltered_topics": [unfiltered]}
    assert bool(kept(TopicIdsFilter(), asked, **columns)) is stays


def test_a_bulk_request_only_excludes_what_it_does_not_name():
    asked = topic_query(topic_ids=(1, 11, 12, 13, 14, 15, 16))
    assert asked.is_bulk_topic_request
    columns = {"filtered_topics": [{2}, {5}, {2, 5}, set(), None], "unfiltered_topics": [set()] * 5}
    assert kept(TopicIdsFilter(), asked, **columns) == [0, 2, 3, 4]


def test_six_topics_are_not_yet_bulk():
    assert not topic_query(topic_ids=(1, 2, 3, 4, 5, 6)).is_bulk_topic_request


def test_snoozed_topics_exclude_and_need_a_known_topic():
    asked = topic_query(excluded_topic_ids=(1,))
    columns = {"filtered_topics": [{3}, {5}, set()], "unfiltered_topics": [set()] * 3}
    assert kept(TopicIdsFilter(), asked, **columns) == [1]


def test_new_user_topics_hold_strangers_to_what_was_chosen():
    asked = topic_query(params={"new_user_topic_filtering": True}, new_user_topic_ids=(1,))
    columns = {"filtered_topics": [{2}, {5}, set(), {5}], "in_network": [NO, NO, NO, YES]}
    assert kept(NewUserTopicIdsFilter(), asked, **columns) == [0, 3]
    assert not NewUserTopicIdsFilter().enabled(topic_query(new_user_topic_ids=(1,)))


def test_strangers_write_in_a_language_one_reads():
    asked = query(viewer={"languages": ("en", "pt")})
    columns = {"in_network": [YES, NO, NO, NO, UNKNOWN], "language": ["de", "de", "", "pt-BR", "en"]}
    assert kept(LanguageFilter(), asked, **columns) == [0, 2, 3, 4]
    assert not LanguageFilter().enabled(query())


def test_unscreened_strangers_are_not_recommended():
    columns = {"in_network": [YES, NO, NO, NO], "screened": [NO, NO, YES, UNKNOWN]}
    assert kept(ScreenedFilter(), query(), **columns) == [0, 2]
    assert not ScreenedFilter().enabled(query(holds_unscreened=False))


def test_visibility_fails_open_for_the_followed_only():
    columns = {"is_dropped": [YES, NO, UNKNOWN, UNKNOWN], "in_network": [YES, NO, YES, NO]}
    assert kept(VFFilter(), query(), **columns) == [1, 2]
    assert kept(AncillaryVFFilter(), query(), drop_ancillary=[YES, NO, UNKNOWN]) == [1, 2]


def test_g15_one_post_per_conversation():
    columns = {"post_id": [50, 60, 70], "ancestors": [(40, 10), (10,), ()], "score": [0.2, 0.3, 0.1]}
    assert kept(DedupConversationFilter(), query(), **columns) == [1, 2]


def test_conversation_ties_keep_the_first_and_missing_scores_count_zero():
    columns = {"post_id": [50, 60, 70], "ancestors": [(10,), (10,), (10,)], "score": [np.nan, 0.0, 0.0]}
    assert kept(DedupConversationFilter(), query(), **columns) == [0]

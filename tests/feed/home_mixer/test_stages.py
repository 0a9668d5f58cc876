"""Hydrators, selectors, exploration, caches: what needs no database."""

from dataclasses import replace

import numpy as np
import pytest

from ads.blending import Verdict
from feed.candidate_pipeline import Batch
from feed.home_mixer import bloom, candidate_cache, exploration, feed_item, request_times
from feed.home_mixer.candidate import NO, SCHEMA, YES
from feed.home_mixer.candidate_hydrators.in_network_candidate_hydrator import InNetworkCandidateHydrator
from feed.home_mixer.candidate_hydrators.tweet_type_metrics_candidate_hydrator import (
    TweetTypeMetricsCandidateHydrator,
    pack,
)
from feed.home_mixer.scorers.phoenix_scorer import PhoenixScorer, candidate_columns, heads_matrix
from feed.home_mixer.selectors.blender_selector import BlenderSelector
from ranking.types import Scores
from xsocial.kernel.errors import Unavailable

from .batches import HOUR_MS, NOW_MS, VIEWER, batch, heads, post_id, query


def test_in_network_is_the_viewer_and_whom_they_follow():
    answer = InNetworkCandidateHydrator().hydrate(query(followed_user_ids=[7]), batch(author_id=[7, VIEWER, 8]))
    assert answer["in_network"].tolist() == [True, True, False]


def test_g8_bits_are_packed_little_endian():
    table = np.zeros((3, 315), bool)
    table[0, [0, 1]] = table[1, [0, 80]] = True
    few, many, none = pack(table)
    assert few == bytes([3])
    assert (len(many), many[-1]) == (11, 1)
    assert none == b""


def bits_of(packed):
    return {bit for bit in range(8 * len(packed)) if packed[bit // 8] >> (bit % 8) & 1}


def test_type_metrics_of_a_fresh_video_reply():
    rows = batch(
        post_id=[post_id(0.4)],
        in_reply_to_id=[5],
        ancestors=[(5,)],
        video_ms=[20_000.0],
        author_followers=[1_500.0],
        score=[0.3],
        in_network=[NO],
    )
    bits = bits_of(TweetTypeMetricsCandidateHydrator().hydrate(query(), rows)["type_metrics"][0])
    assert {0, 2, 5, 37, 38, 152, 154, 155, 156, 157, 311} <= bits
    assert not bits & {1, 10, 80, 151, 153, 158, 310, 312}


@pytest.mark.parametrize("n", [1000])
def test_g14_bloom_size(n):
    size = bloom.shape(n, 0.01)
    assert (size.bits, size.hashes, size.words) == (9586, 7, 150)


def test_bloom_has_no_false_negatives_and_a_bounded_false_positive_rate():
    rng = np.random.default_rng(1)
    ids = rng.choice(2**62, 6_000, replace=False)
    added, others = ids[:1_000], ids[1_000:]
    size = bloom.shape(1_000, 0.01)
    bits = np.zeros(size.bits, bool)
    bits[bloom.positions(added, size)] = True
    entry = bloom.Filter(bits, size)
    assert entry.contains(added).all()
    assert entry.contains(others).mean() <= 0.015
    assert not entry.contains(np.array([0]))[0]


def test_bloom_in_valkey_remembers_and_rotates(monkeypatch):
    monkeypatch.setattr(bloom, "CAPACITY", 50)
    bloom.add(VIEWER, range(1, 31))
    bloom.add(VIEWER, range(31, 61))  # does not fit beside the first thirty
    filters = bloom.load(VIEWER)
    assert len(filters) == 2
    seen = np.arange(1, 61)
    assert np.logical_or.reduce([entry.contains(seen) for entry in filters]).all()
    assert bloom.load(VIEWER + 1) == []


def test_request_times_keep_ten_newest_first():
    for at in range(12):
        request_times.add(VIEWER, at)
    assert request_times.load(VIEWER)[0] == tuple(range(11, 1, -1))


def test_cached_candidates_come_back_as_they_were():
    stored = batch(
        post_id=[5, 6],
        author_id=[1, 2],
        ancestors=[(4, 3), ()],
        text=["a", None],
        served_type=["x", "y"],
        heads=heads({"favorite": 0.25, "dwell_time": 3.5}, {}),
        video_ms=[np.nan, 1200.0],
        in_network=[YES, NO],
        weighted_score=[0.3, 0.1],
        is_mutual_follow_author=[YES, NO],
        semantic_id=np.array([[1, 2, 3, 4, 5, 6], [-1] * 6]),
    )
    candidate_cache.store("k", stored, ttl_s=60)
    back = candidate_cache.load("k")
    assert back["heads"].tobytes() == stored["heads"].tobytes()
    for name in ("post_id", "author_id", "in_network", "weighted_score", "is_mutual_follow_author", "semantic_id"):
        assert back[name].tolist() == stored[name].tolist()
    assert back["ancestors"].tolist() == [(4, 3), ()]
    assert back["text"].tolist() == ["a", None]
    assert np.isnan(back["video_ms"][0])
    assert candidate_cache.load("other") is None


def test_the_cache_key_depends_on_what_changes_the_candidates():
    keys = {
        query().cache_key,
        query(in_network_only=True).cache_key,
        query(exclude_videos=True).cache_key,
        query(topic_ids=(1, 2)).cache_key,
    }
    assert len(keys) == 4
    assert query(topic_ids=(1, 2)).cache_key == query(topic_ids=(2, 1)).cache_key


@pytest.mark.parametrize(
    ("fields", "label"),
    [
        ({}, "for_you"),
        ({"topic_ids": (1,)}, "topics"),
        ({"excluded_topic_ids": (1,)}, "for_you_with_snoozed_topics"),
        ({"topic_ids": (1,), "in_network_only": True}, "ranked_following"),
    ],
)
def test_surface_labels(fields, label):
    assert query(**fields).surface_label == label


# --- Phoenix ------------------------------------------------------------------------------------


def test_replayed_candidates_keep_their_predictions_and_no_history_is_an_error():
    assert not PhoenixScorer().enabled(query(has_cached_posts=True))
    with pytest.raises(Unavailable):
        PhoenixScorer().score(query(), batch(author_id=[1]))


def test_a_repost_is_scored_as_what_it_reposts():
    rows = batch(
        post_id=[10, post_id(1)],
        repost_of_id=[0, post_id(5)],
        author_id=[1, 2],
        repost_of_user_id=[0, 3],
        favorites=[4.0, np.nan],
        has_media=[YES, NO],
    )
    columns = candidate_columns(query(followed_user_ids=[3]), rows)
    assert columns.post_ids.tolist() == [10, post_id(5)]
    assert columns.author_ids.tolist() == [1, 3]
    assert columns.created_ms[1] == NOW_MS - 5 * HOUR_MS
    assert columns.favorites.tolist() == [4, 0]
    assert columns.is_author_followed.tolist() == [False, True]


def test_predictions_are_placed_by_name_and_missing_heads_stay_missing():
    answer = Scores(
        heads=("reply", "favorite", "novelty"),
        probabilities=np.array([[0.2, 0.1, 0.9]], np.float32),
        raw_probabilities=np.array([[0.2, 0.1, 0.9]], np.float32),
        continuous_names=("dwell_time",),
        continuous=np.array([[4.0]], np.float32),
        model="m",
    )
    matrix = heads_matrix(answer, answer.probabilities)
    expected = heads({"favorite": np.float32(0.1), "reply": np.float32(0.2), "dwell_time": 4.0})
    assert matrix.tobytes() == expected.tobytes()


# --- Exploration --------------------------------------------------------------------------------


def explored(request_id, n=10, **params):
    asked = query(request_id=request_id, params={"exploration_share": 1.0, **params})
    shown = exploration.explore(asked, batch(post_id=list(range(1, n + 1))))
    return shown["post_id"].tolist(), shown["propensity"].tolist(), asked.memo.get("explored")


def test_exploration_is_seeded_bounded_and_logs_its_propensities():
    assert explored(3) == explored(3)
    moved = 0
    for request_id in range(300):
        order, propensity, swapped = explored(request_id)
        assert sorted(order) == list(range(1, 11))
        assert all(abs(post - place) <= 1 for place, post in enumerate(order, 1))
        assert len(swapped) <= 3
        assert sum(chance != 1 for chance in propensity) == 6
        moved += len(swapped)
    assert 0.45 < moved / 900 < 0.55


def test_exploration_touches_only_its_share_of_requests():
    order, propensity, swapped = explored(3, exploration_share=0.0)
    assert (order, set(propensity), swapped) == (list(range(1, 11)), {1.0}, [])
    asked, page = query(), batch(post_id=[1, 2, 3])
    hit = sum(
        (exploration.explore(replace(asked, request_id=n), page)["propensity"] != 1.0).any() for n in range(20_000)
    )
    assert 0.007 < hit / 20_000 < 0.013


def test_a_page_of_one_post_cannot_be_explored():
    assert explored(3, n=1)[0] == [1]


# --- Blender ------------------------------------------------------------------------------------


def outer(*groups):
    return Batch.concat(feed_item.SCHEMA, [feed_item.items(kind, values) for kind, values in groups])


def posts(n):
    return [feed_item.PostRow(k, 100 + k, "text", 1.0 / k, Verdict.SAFE) for k in range(1, n + 1)]


def blended(*groups):
    rows = outer(*groups)
    chosen = BlenderSelector().select(query(), rows)
    return [rows["kind"][row] for row in chosen.selected], chosen, rows


def test_g17_pinning():
    module = feed_item.WhoToFollowModule((1, 2, 3))
    push = feed_item.PushToHomeItem(9, 8)
    kinds, chosen, _ = blended(
        ("post", posts(20)), ("who_to_follow", [module]), ("prompt", ["hello"]), ("push_to_home", [push])
    )
    assert kinds[:7] == ["push_to_home", "prompt", "post", "post", "post", "post", "who_to_follow"]
    assert len(kinds) == 23
    positions = chosen.columns["position"].tolist()
    assert (positions[0], positions[1], positions[6]) == (0, 0, 6)


def test_only_the_first_module_and_the_last_push_are_taken():
    modules = [feed_item.WhoToFollowModule((k,)) for k in (1, 2)]
    pushes = [feed_item.PushToHomeItem(k, 1) for k in (5, 6)]
    kinds, chosen, rows = blended(("post", posts(2)), ("who_to_follow", modules), ("push_to_home", pushes))
    assert kinds == ["push_to_home", "post", "post", "who_to_follow"]
    assert rows["item"][chosen.selected[0]].post_id == 6
    assert len(chosen.non_selected) == 2


def test_posts_keep_their_order_without_ads():
    _kinds, chosen, rows = blended(("post", posts(6)))
    assert [rows["item"][row].id for row in chosen.selected] == [1, 2, 3, 4, 5, 6]


def test_an_empty_page_blends_to_nothing():
    chosen = BlenderSelector().select(query(), Batch.empty(feed_item.SCHEMA))
    assert len(chosen.selected) == 0


def test_every_column_of_the_schema_has_a_missing_value():
    empty = Batch.of(SCHEMA, post_id=[1])
    assert all(len(empty[name]) == 1 for name in SCHEMA.columns)

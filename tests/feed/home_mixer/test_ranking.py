"""The ranking formulas against worked figures of the published system (G1 to G7)."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from feed.home_mixer.candidate import NO, UNKNOWN, YES
from feed.home_mixer.params import HEADS, LATER_HEADS, PUBLISHED_WEIGHTS
from feed.home_mixer.query import WeightsInForce
from feed.home_mixer.scorers import value_model
from feed.home_mixer.scorers.ranking_scorer import RankingScorer, oon_factor
from feed.home_mixer.scorers.value_model import Conditions
from xsocial.kernel import ids

from .batches import NOW_MS, batch, heads, query, scored

EPSILON = 0.001


def offset(value):
    return float(value_model.offset(np.array([value]), PUBLISHED_WEIGHTS, EPSILON)[0])


MAY_WEIGHTS = {**PUBLISHED_WEIGHTS, **dict.fromkeys(LATER_HEADS, 0.0)}


def summed(row, **conditions):
    return float(value_model.combined(heads(row), PUBLISHED_WEIGHTS, Conditions(**conditions))[0])


@pytest.mark.parametrize(("weights", "total"), [(MAY_WEIGHTS, 43.05), (PUBLISHED_WEIGHTS, 43.32)])
def test_totals_are_the_published_ones(weights, total):
    positive, negative = value_model.totals(weights)
    assert positive == pytest.approx(total)
    assert negative == pytest.approx(367.22)


@pytest.mark.parametrize(("weights", "expected"), [(MAY_WEIGHTS, 0.00089486), (PUBLISHED_WEIGHTS, 0.00089428)])
def test_g1_offset_with_the_heads_of_may_and_of_august(weights, expected):
    assert value_model.offset(np.array([-0.084]), weights, EPSILON)[0] == pytest.approx(expected, abs=5e-9)


@pytest.mark.parametrize(("value", "expected"), [(0.0, 0.001), (0.149, 0.150), (-367.22, 0.0)])
def test_g2_offset(value, expected):
    assert offset(value) == pytest.approx(expected, abs=5e-9)


def test_offset_without_any_weight_cuts_at_zero():
    none = dict.fromkeys(HEADS, 0.0)
    assert value_model.offset(np.array([-2.0, 3.0]), none, EPSILON).tolist() == [0.0, 3.0]


@given(st.floats(-367, 100), st.floats(-367, 100))
def test_offset_keeps_order_and_separates_the_net_negative(a, b):
    low, high = sorted((a, b))
    assert offset(low) <= offset(high)
    assert (offset(low) < EPSILON) == (low < 0)


def test_g3_weighted_sum():
    assert summed({"favorite": 0.10, "reply": 0.02, "report": 0.001}) == pytest.approx(-0.084)


def test_a_missing_prediction_counts_nothing_and_continuous_heads_count():
    assert summed({}) == 0.0
    assert summed({"dwell_time": 10.0}) == pytest.approx(0.04)


def test_g4_author_diversity():
    multipliers = value_model.diversity(np.arange(5), 0.5, 0.25)
    assert multipliers.tolist() == [1, 0.625, 0.4375, 0.34375, 0.296875]


def test_g5_diversity_and_network_together():
    weighted = np.array([0.30, 0.28, 0.25, 0.20, 0.0009])
    position = value_model.author_positions(weighted, np.array([1, 1, 2, 1, 3]))
    network = np.array([1, 1, 0.75, 0.75, 1])
    score = weighted * value_model.diversity(position, 0.5, 0.25) * network
    assert score.tolist() == pytest.approx([0.30, 0.175, 0.1875, 0.065625, 0.0009])
    assert np.argsort(-score, kind="stable").tolist() == [0, 2, 1, 3, 4]


def test_the_scorer_multiplies_the_three_factors():
    rows = batch(
        heads=heads({"favorite": 0.598}, {"favorite": 0.558}, {"favorite": 0.498}),
        author_id=[1, 1, 2],
        in_network=[YES, YES, NO],
    )
    done = scored(RankingScorer(), query(), rows)
    assert done["weighted_score"].tolist() == pytest.approx([0.30, 0.28, 0.25])
    assert done["score"].tolist() == pytest.approx([0.30, 0.175, 0.1875])


@pytest.mark.parametrize(("follows", "expected"), [(4, 0.75), (5, 0.00001)])
def test_g6_new_user_rule_needs_five_follows(follows, expected):
    asked = query(params={"new_user_age_s": 86_400}, followed_user_ids=list(range(1, follows + 1)))
    young = query_of_age(asked, hours=1)
    assert oon_factor(young) == expected
    assert oon_factor(asked) == 0.75  # an old account


def query_of_age(asked, *, hours):
    return replace(asked, user_id=ids.id_at(NOW_MS - hours * 3_600_000))


def test_topic_pages_have_their_own_factor():
    assert oon_factor(query(topic_ids=(7,))) == 0.5


@pytest.mark.parametrize(
    ("video_ms", "followers", "counts"),
    [(10_000, 0, False), (10_001, 0, True), (10_001, 10_000, False), (np.nan, 0, False)],
)
def test_g7_video_eligibility(video_ms, followers, counts):
    eligible = value_model.video_eligible(np.array([video_ms]), followers, 10_000, 10_000)
    assert eligible.tolist() == [counts]
    assert summed({"vqv": 1.0}, vqv=float(counts)) == pytest.approx(0.05 * counts)


def test_unknown_network_is_not_discounted():
    done = scored(
        RankingScorer(),
        query(),
        batch(heads=heads({"favorite": 0.1}, {"favorite": 0.1}), author_id=[1, 2], in_network=[UNKNOWN, NO]),
    )
    assert done["oon_factor"].tolist() == [1.0, 0.75]


def test_another_weight_set_changes_the_score():
    angry = WeightsInForce(3, {**PUBLISHED_WEIGHTS, "report": -1_000.0})
    rows = {"heads": heads({"favorite": 0.5, "report": 0.001}), "author_id": [1]}
    before = scored(RankingScorer(), query(), batch(**rows))["score"][0]
    after = scored(RankingScorer(), query(weights=angry), batch(**rows))["score"][0]
    assert before == pytest.approx(0.25 - 0.234 + EPSILON)
    assert after < EPSILON


def test_without_predictions_the_order_is_by_time():
    done = scored(RankingScorer(), query(), batch(post_id=[30, 10, 20], author_id=[1, 1, 1], in_network=[NO, YES, YES]))
    assert np.argsort(-done["score"]).tolist() == [0, 2, 1]
    assert done["oon_factor"].tolist() == [1.0, 1.0, 1.0]


def test_author_positions_count_the_whole_pool_by_weighted_score():
    position = value_model.author_positions(np.array([0.1, 0.9, 0.5, 0.7]), np.array([1, 1, 2, 1]))
    assert position.tolist() == [2, 0, 0, 1]


def test_twenty_two_heads_of_may_and_four_later_ones():
    assert len(HEADS) == 22 + len(LATER_HEADS)
    assert PUBLISHED_WEIGHTS["report"] == -234.0

"""What the ranking gained between May and August 2026, each step against a worked figure."""

from dataclasses import replace

import numpy as np
import pytest

from feed.home_mixer import served_types
from feed.home_mixer.candidate import NO, UNKNOWN, YES
from feed.home_mixer.params import PUBLISHED_WEIGHTS
from feed.home_mixer.scorers import author_cold_start, dpp, dwell_regret, slate_context, value_model
from feed.home_mixer.scorers.ranking_scorer import RankingScorer
from feed.home_mixer.scorers.vm_ranker import VMRanker
from posts.types import EngagementKind
from ranking.types import ActionSequence

from .batches import NOW_MS, VIEWER, batch, heads, post_id, query, scored

EPSILON = 0.001
PLAIN = {"enable_cold_start": False, "oon_rescore_in_network": False}


def ranked(params=None, fields=None, **columns):
    n = len(columns["heads"])
    columns.setdefault("author_id", list(range(1, n + 1)))
    columns.setdefault("in_network", [YES] * n)
    asked = query(params={**PLAIN, **(params or {})}, **(fields or {}))
    return scored(RankingScorer(), asked, batch(**columns))


# --- Terms --------------------------------------------------------------------------------------


def test_mutual_originals_weigh_replies_by_fifteen_more():
    rows = {
        "heads": heads(*[{"reply": 0.01}] * 4),
        "is_mutual_follow_author": [YES, YES, YES, NO],
        "in_reply_to_id": [0, 9, 0, 0],
        "repost_of_id": [0, 0, 9, 0],
    }
    assert ranked(**rows)["combined"].tolist() == pytest.approx([0.2, 0.05, 0.05, 0.05])
    assert ranked({"mutual_reply_boost": 5.0}, **rows)["combined"][0] == pytest.approx(0.1)


def test_the_boost_does_not_move_the_offset():
    rows = {"heads": heads({"reply": 0.01, "report": 0.01}), "is_mutual_follow_author": [YES]}
    net = 0.2 - 2.34
    positive, negative = value_model.totals(PUBLISHED_WEIGHTS)
    assert ranked(**rows)["weighted_score"][0] == pytest.approx((net + negative) / (positive + negative) * EPSILON)


def test_what_is_new_to_the_viewer_counts_in_network_only():
    rows = {"heads": heads(*[{"post_unexplored": 0.5}] * 3), "in_network": [YES, NO, UNKNOWN]}
    assert ranked(**rows)["combined"].tolist() == pytest.approx([0.01, 0, 0])
    everywhere = ranked({"unexplored_in_network_only": False}, **rows)
    assert everywhere["combined"].tolist() == pytest.approx([0.01, 0.01, 0.01])


def test_novelty_may_multiply_the_dwell_term_instead():
    rows = {"heads": heads({"post_unexplored": 0.5, "dwell_time": 10.0})}
    done = ranked({"unexplored_multiplies": True, "unexplored_alpha": 2.0}, **rows)
    assert done["combined"][0] == pytest.approx(0.04 * (1 + 0.5 * 2.0))
    positive, _ = value_model.totals(PUBLISHED_WEIGHTS, without=("post_unexplored",))
    assert positive == pytest.approx(43.30)


@pytest.mark.parametrize(("favorite", "factor"), [(0.01, 1.0), (0.0025, 0.5), (0.5, 1.0), (0.0, 0.01), (np.nan, 1.0)])
def test_click_dwell_is_cut_for_posts_nobody_would_like(favorite, factor):
    rows = heads({"favorite": favorite})
    assert value_model.click_dwell_factor(rows, 0.01)[0] == pytest.approx(factor)


def test_the_click_dwell_penalty_is_off_unless_asked_for():
    rows = {"heads": heads({"favorite": 0.0025, "click_dwell_time": 10.0})}
    from feed.home_mixer.query import WeightsInForce

    weighs = {"weights": WeightsInForce(1, {**PUBLISHED_WEIGHTS, "favorite": 0.0, "click_dwell_time": 0.01})}
    assert ranked(fields=weighs, **rows)["combined"][0] == pytest.approx(0.1)
    assert ranked({"click_dwell_penalty": True}, weighs, **rows)["combined"][0] == pytest.approx(0.05)


def test_replies_and_reposts_by_the_followed_are_discounted_too():
    rows = {
        "heads": heads(*[{"favorite": 0.1}] * 5),
        "in_network": [YES, YES, YES, NO, UNKNOWN],
        "in_reply_to_id": [0, 9, 0, 0, 9],
        "repost_of_id": [0, 0, 9, 0, 0],
    }
    assert ranked(**rows)["oon_factor"].tolist() == [1, 1, 1, 0.75, 1]
    rescored = ranked({"oon_rescore_in_network": True}, **rows)
    assert rescored["oon_factor"].tolist() == [1, 0.75, 0.75, 0.75, 1]


def test_the_scorer_can_be_switched_off():
    assert not RankingScorer().enabled(query(params={"enable_ranking": False}))


def test_the_normaliser_changes_nothing():
    scores = np.array([0.3, 0.0])
    assert value_model.normalised(scores).tolist() == scores.tolist()


# --- Order of the multipliers -------------------------------------------------------------------


def test_mpn_multiplies_net_positive_sums_before_the_offset():
    rows = {"heads": heads({"favorite": 0.4}, {"favorite": 0.2}, {"report": 0.01}), "author_id": [1, 1, 1]}
    done = ranked({"mpn_scoring": True}, **rows)
    positive, negative = value_model.totals(PUBLISHED_WEIGHTS)
    squeezed = (-2.34 + negative) / (positive + negative) * EPSILON
    assert done["score"].tolist() == pytest.approx([0.2 + EPSILON, 0.1 * 0.625 + EPSILON, squeezed])


def test_pages_before_weigh_on_an_authors_next_post():
    exposed = {"author_exposure": (np.array([7]), np.array([1.0]))}
    done = ranked(fields=exposed, heads=heads({"favorite": 0.2}, {"favorite": 0.2}), author_id=[7, 8])
    assert done["diversity"].tolist() == [0.625, 1.0]


def test_with_exposure_a_reposted_author_counts_as_the_author():
    rows = {
        "heads": heads({"favorite": 0.4}, {"favorite": 0.2}),
        "author_id": [1, 7],
        "repost_of_user_id": [7, 0],
        "repost_of_id": [5, 0],
    }
    nobody = {"author_exposure": (np.zeros(0, np.int64), np.zeros(0))}
    assert ranked(fields=nobody, **rows)["author_position"].tolist() == [0, 1]
    assert ranked(**rows)["author_position"].tolist() == [0, 0]


# --- Author cold start --------------------------------------------------------------------------


def small_author_pool(n=40, small=30, **columns):
    """A pool by falling score in which one post is by an author with few followers and views."""
    followers, views = np.full(n, 5_000.0), np.full(n, 9_000.0)
    followers[small], views[small] = 10.0, 3.0
    return batch(
        author_id=list(range(1, n + 1)),
        author_followers=followers,
        views=views,
        favorites=np.zeros(n),
        served_type=[served_types.IN_NETWORK] * n,
        **columns,
    )


FALLING = np.linspace(1.0, 0.1, 40)


def test_one_small_author_is_lifted_to_the_sixteenth_score():
    lifted = author_cold_start.lift(query(), small_author_pool(), FALLING)
    assert lifted.row == 30
    assert lifted.scores[30] == pytest.approx(FALLING[15])
    assert np.delete(lifted.scores, 30).tolist() == np.delete(FALLING, 30).tolist()


@pytest.mark.parametrize(
    "changed",
    [
        {"in_reply_to_id": [9] * 40},
        {"repost_of_id": [9] * 40},
    ],
)
def test_replies_and_reposts_are_never_lifted(changed):
    assert author_cold_start.lift(query(), small_author_pool(**changed), FALLING).row is None


def test_the_tail_of_the_list_is_not_lifted():
    assert author_cold_start.lift(query(), small_author_pool(small=33), FALLING).row == 33
    assert author_cold_start.lift(query(), small_author_pool(small=34), FALLING).row is None


def test_a_post_that_stands_higher_keeps_its_score():
    lifted = author_cold_start.lift(query(), small_author_pool(small=3), FALLING)
    assert lifted.scores.tolist() == FALLING.tolist()


def test_a_short_list_has_no_slot_and_unknown_counts_are_not_small():
    assert author_cold_start.lift(query(), small_author_pool(n=15, small=3), FALLING[:15]).row is None
    rows = small_author_pool()
    rows.assign("views", np.full(40, np.nan))
    assert author_cold_start.lift(query(), rows, FALLING).row is None


def test_the_second_retrieval_model_counts_only_between_treated_viewers_and_authors():
    rows = small_author_pool()
    rows.assign("served_type", np.array([served_types.PHOENIX_MOE] * 40, object))
    assert not author_cold_start.lift(query(), rows, FALLING).scores.any()
    treated = author_cold_start.author_is_treated(rows["author_id"])
    assert 8 < treated.sum() < 32
    scores = author_cold_start.lift(query(params={"cold_start_arm": "treatment"}), rows, FALLING).scores
    assert (scores > 0).tolist() == treated.tolist()


def test_g18_thompson_sampling_prefers_likes_per_view():
    params = query().params
    likes, rest = params.cold_start_prior_likes, params.cold_start_prior_rest
    assert (likes / (likes + rest), likes + rest) == (pytest.approx(0.015), 50)
    rows = small_author_pool()
    rows.assign("author_followers", np.full(40, 10.0))
    rows.assign("views", np.full(40, 999.0))
    rows.assign("favorites", np.where(np.arange(40) == 20, 600.0, 0.0))
    asked = query(params={"cold_start_thompson": True, "cold_start_draws": 1})
    assert author_cold_start.lift(asked, rows, FALLING).row == 20
    assert author_cold_start.lift(query(), rows, FALLING).row == 0


# --- Dwell and regret ---------------------------------------------------------------------------


def test_dwell_regret_against_a_hand_worked_pool():
    rows = heads({"favorite": 0.3, "dwell_time": 8.0}, {"favorite": 0.1, "dwell_time": 0.2, "report": 0.001})
    positive = 0.3 / 0.2 - 1.0
    first = 8.0 * 2 / (1 + np.exp(-positive / 10))
    second = 1.0 * 2 / (1 + np.exp(positive / 10)) * np.exp(-60_000 * 0.001 / 10)
    assert dwell_regret.scores(rows).tolist() == pytest.approx([first, second])


def sequence(*rows):
    """Rows of (days ago, kinds)."""
    at = np.array([NOW_MS - int(days * 86_400_000) for days, _ in rows], np.int64)
    bits = np.array([sum(1 << kind for kind in kinds) for _, kinds in rows], np.int64)
    zeros = np.zeros(len(rows), np.int64)
    return ActionSequence(VIEWER, zeros + 1, zeros + 2, bits, zeros.astype(np.float32), zeros, at)


def test_the_gate_reads_nineteen_features_of_the_last_28_days():
    likes, reply = EngagementKind.FAVORITE, EngagementKind.REPLY
    history = sequence((40, [likes]), (10, [likes]), (3, [likes, reply]), (0.5, [reply]))
    features = dwell_regret.gate_features(
        history, now_ms=NOW_MS, followers=10, followings=20, account_age_s=40 * 365.25 * 86_400
    )
    assert set(features) == set(dwell_regret.GATE_WEIGHTS)
    assert (features["seq_len"], features["n_fav"], features["n_reply"]) == (3, 2, 2)
    assert (features["n_7d"], features["n_1d"], features["active_days"]) == (2, 1, 3)
    assert features["span_days"] == pytest.approx(9.5)
    assert features["account_age_years"] == 25.0
    total = 1.033918 + sum(
        weight * (np.log1p(features[name]) if name.startswith(("seq", "n_", "foll")) else features[name])
        for name, weight in dwell_regret.GATE_WEIGHTS.items()
    )
    assert dwell_regret.gate_opens(features) == (total + 0.634264 > 0)


def test_the_gate_closes_for_those_long_away_and_without_a_weight():
    away = dwell_regret.gate_features(sequence(), now_ms=NOW_MS, followers=10**9, followings=0, account_age_s=1e12)
    assert not dwell_regret.gate_opens(away)
    here = dwell_regret.gate_features(
        sequence(*[(day / 10, [EngagementKind.REPLY]) for day in range(1, 10)]),
        now_ms=NOW_MS,
        followers=3,
        followings=30,
        account_age_s=0,
    )
    assert dwell_regret.gate_opens(here)
    partial = {name: weight for name, weight in dwell_regret.GATE_WEIGHTS.items() if name != "n_fav"}
    assert not dwell_regret.gate_opens(here, partial)


def test_the_value_mode_decides_what_is_worth_what():
    rows = {"heads": heads({"favorite": 0.5, "dwell_time": 0.0}, {"favorite": 0.1, "dwell_time": 40.0})}
    assert np.argmax(ranked(**rows)["score"]) == 1 - np.argmax(
        ranked({"value_mode": "dwell_regret_sigmoid"}, **rows)["score"]
    )
    gated = ranked({"value_mode": "gated_dwell_regret"}, **rows)  # no sequence: the gate stays shut
    assert gated["score"].tolist() == ranked(**rows)["score"].tolist()


# --- Slate context ------------------------------------------------------------------------------


def test_slate_context_counts_repeats_of_author_and_content():
    unknown = [-1] * 6
    codes = np.array([[1, 2, 3, 0, 0, 0], [1, 2, 4, 0, 0, 0], unknown, [1, 9, 9, 0, 0, 0]])
    found = slate_context.context(np.array([0.9, 0.7, 0.8, 0.1]), np.array([5, 5, 6, 5]), codes)
    assert found["pool_rank"].tolist() == [0, 2, 1, 3]
    assert found["author_gap"].tolist() == [-1, 2, -1, 1]
    assert found["semantic_counts"].tolist() == [[0, 0, 0], [1, 1, 0], [0, 0, 0], [2, 0, 0]]
    assert found["semantic_gaps"].tolist() == [[-1, -1, -1], [2, 2, -1], [-1, -1, -1], [1, -1, -1]]


def test_prefixes_shift_by_twenty_bits():
    assert slate_context.semantic_prefixes(np.array([[1, 2, 3, 4, 5, 6]])).tolist() == [
        [1, (1 << 20) | 2, (1 << 40) | (2 << 20) | 3]
    ]


# --- Determinantal reranking --------------------------------------------------------------------


def test_g10_alpha_and_diagonal():
    assert dpp.alpha(0.65) == pytest.approx(0.928571, abs=1e-6)
    assert np.exp(2 * dpp.log_weights(np.array([0.4]), 0.65))[0] == pytest.approx(6.40541, abs=1e-5)


def test_g11_of_identical_posts_only_the_best_keeps_its_score():
    keep = dpp.keeps_score(np.array([0.9, 0.8, 0.7]), np.ones((3, 4)), theta=0.65, top_k=3)
    assert keep.tolist() == [True, False, False]


def test_greedy_selection_has_the_largest_determinant_at_each_step():
    rng = np.random.default_rng(5)
    weights, likeness = dpp.log_weights(np.sort(rng.random(12))[::-1], 0.65), dpp.cosines(rng.normal(size=(12, 8)))
    matrix = np.exp(np.add.outer(weights, weights)) * likeness
    chosen: list[int] = []
    for _ in range(6):
        volume = {
            row: np.linalg.det(matrix[np.ix_([*chosen, row], [*chosen, row])]) for row in range(12) if row not in chosen
        }
        chosen.append(max(volume, key=volume.get))
    assert dpp.select(weights, likeness, 6).tolist() == chosen


@pytest.mark.parametrize("theta", [0.999, 0.999999, 1.0])
def test_near_quality_alone_the_best_that_differ_keep_their_scores(theta):
    vectors = np.random.default_rng(5).normal(size=(30, 8))
    vectors[1] = vectors[0]
    keep = dpp.keeps_score(np.linspace(1.0, 0.1, 30), vectors, theta=theta, top_k=5)
    assert np.flatnonzero(keep).tolist() == [0, 2, 3, 4, 5]


def vm_ranked(monkeypatch, vectors, scores, **params):
    monkeypatch.setattr("ranking.services.content_vectors", lambda ids: np.array(vectors, np.float32)[: len(ids)])
    rows = batch(score=scores, heads=heads(*[{"favorite": 0.1}] * len(scores)))
    return scored(VMRanker(), query(params=params), rows)


def test_vm_ranker_zeroes_what_repeats_and_keeps_the_rest(monkeypatch):
    vectors = [[1.0, 0.0], [1.0, 0.0], [0.0, 1.0]]
    done = vm_ranked(monkeypatch, vectors, [0.5, 0.4, 0.3])
    assert done["score"].tolist() == [0.5, 0.0, 0.3]
    assert done["vm_factor"].tolist() == [1, 0, 1]


def test_posts_without_embedding_resemble_nothing(monkeypatch):
    done = vm_ranked(monkeypatch, np.zeros((3, 16)), [0.5, 0.4, 0.3])
    assert done["score"].tolist() == [0.5, 0.4, 0.3]
    again = vm_ranked(monkeypatch, np.zeros((3, 16)), [0.5, 0.4, 0.3], dpp_top_k=2)
    assert np.count_nonzero(again["score"]) == 2
    assert (
        again["score"].tolist()
        == vm_ranked(monkeypatch, np.zeros((3, 16)), [0.5, 0.4, 0.3], dpp_top_k=2)["score"].tolist()
    )


def test_vm_ranker_looks_at_the_best_of_the_pool_only(monkeypatch):
    done = vm_ranked(monkeypatch, np.eye(4), [0.1, 0.4, 0.3, np.nan], dpp_max_rank=2)
    assert done["score"][:3].tolist() == [0.0, 0.4, 0.3]
    assert np.isnan(done["score"][3])


def test_a_page_by_time_stays_as_it_is():
    rows = batch(score=[0.5, 1.0])
    assert scored(VMRanker(), query(), rows)["score"].tolist() == [0.5, 1.0]
    assert not VMRanker().enabled(query(params={"enable_vm_ranker": False}))


def test_an_old_post_is_not_lifted_in_the_treatment_arm():
    rows = small_author_pool(post_id=[post_id(30)] * 40)
    asked = query(params={"cold_start_arm": "treatment"})
    rows.assign("author_followers", np.full(40, 10.0))
    rows.assign("views", np.full(40, 1.0))
    assert author_cold_start.lift(asked, rows, FALLING).row is None
    young = author_cold_start.lift(replace(asked, now_ms=NOW_MS - 20 * 3_600_000), rows, FALLING)
    assert young.row is not None

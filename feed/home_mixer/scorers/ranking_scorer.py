"""From predicted actions to one score: weighted sum, offset, cold start, author diversity, network factor."""

from typing import Any

import numpy as np

from feed.candidate_pipeline import Batch, Scorer
from feed.home_mixer.candidate import NO, YES, original_authors
from feed.home_mixer.params import GATED, HEADS, Params
from feed.home_mixer.query import ScoredPostsQuery
from feed.home_mixer.scorers import author_cold_start, dwell_regret, slate_context, value_model
from feed.home_mixer.scorers.value_model import Conditions

UNEXPLORED = "post_unexplored"


class RankingScorer(Scorer):
    """Keeps every factor beside the score, so that a receipt can show and repeat the sum.

    Without any prediction the order is by time, newest first.
    """

    reads = (
        "heads",
        "video_ms",
        "quoted_video_ms",
        "author_id",
        "repost_of_user_id",
        "in_reply_to_id",
        "repost_of_id",
        "in_network",
        "is_mutual_follow_author",
        "author_followers",
        "views",
        "favorites",
        "served_type",
        "semantic_id",
        "post_id",
    )
    writes = (
        "combined",
        "weighted_score",
        "base_score",
        "conditions",
        "author_position",
        "author_history",
        "diversity",
        "oon_factor",
        "score",
        "pool_rank",
        "author_gap",
        "semantic_counts",
        "semantic_gaps",
    )
    inline = True

    def enabled(self, query: ScoredPostsQuery) -> bool:
        """By parameter; without it the order is the sources'."""
        return query.params.enable_ranking

    def score(self, query: ScoredPostsQuery, batch: Batch) -> dict[str, Any]:
        """A few array operations; no reading."""
        if not np.isfinite(batch["heads"]).any():
            return _by_time(batch)
        params, weights = query.params, query.weights.weights
        found = conditions(query, batch)
        net = value_model.combined(batch["heads"], weights, found)
        weighted = weighted_scores(query, batch["heads"], net)
        factor = network_factor(query, batch)
        base = weighted if params.mpn_scoring else _cold_start(query, batch, weighted)
        repeated = repeats(query, batch, base)
        spread = np.ones(batch.n)
        if params.enable_author_diversity:
            exponent = repeated["author_position"] + repeated["author_history"]
            spread = value_model.diversity(exponent, params.author_diversity_decay, params.author_diversity_floor)
        score = base * spread * factor
        if params.mpn_scoring:  # multipliers touch only what is net-positive, and come before the offset
            multiplied = np.where(net >= 0, net * spread * factor, net)
            base = _cold_start(query, batch, _offset(query, multiplied))
            score = base
        return {
            "combined": net,
            "weighted_score": weighted,
            "base_score": base,
            "conditions": found.matrix(batch.n),
            **repeated,
            "diversity": spread,
            "oon_factor": factor,
            "score": score,
            **slate_context.context(base, batch["author_id"], batch["semantic_id"]),
        }


def conditions(query: ScoredPostsQuery, batch: Batch) -> Conditions:
    """Which terms count for which candidate on this request."""
    params, heads = query.params, batch["heads"]
    vqv = value_model.video_eligible(
        batch["video_ms"], query.viewer.follower_count, params.min_video_duration_ms, params.vqv_max_followers
    )
    quoted: np.ndarray | float = 1.0
    if params.check_quoted_video:
        quoted = np.nan_to_num(batch["quoted_video_ms"], nan=0.0) > params.min_video_duration_ms
    is_original = (batch["in_reply_to_id"] == 0) & (batch["repost_of_id"] == 0)
    is_mutual = is_original & (batch["is_mutual_follow_author"] == YES)
    may_count = batch["in_network"] == YES if params.unexplored_in_network_only else np.ones(batch.n, bool)
    novelty = np.where(may_count, np.nan_to_num(heads[:, HEADS.index(UNEXPLORED)], nan=0.0), 0.0)
    tuning = query.weights.tuning  # a boost is added to a weight, so it is tuned like one
    return Conditions(
        vqv=vqv.astype(np.float64),
        quoted_vqv=quoted,
        unexplored=0.0 if params.unexplored_multiplies else may_count.astype(np.float64),
        reply_boost=is_mutual * params.mutual_reply_boost * tuning.times_head("reply"),
        dwell_boost=is_mutual * params.mutual_dwell_boost * tuning.times_head("dwell"),
        dwell_time_factor=1.0 + novelty * params.unexplored_alpha if params.unexplored_multiplies else 1.0,
        click_dwell_factor=(
            value_model.click_dwell_factor(heads, params.click_dwell_baseline) if params.click_dwell_penalty else 1.0
        ),
    )


def weighted_scores(query: ScoredPostsQuery, heads: np.ndarray, net: np.ndarray) -> np.ndarray:
    """What candidates are worth before diversity: the offset sum, or the other value model's answer."""
    if _regrets(query):
        return dwell_regret.scores(heads)
    return value_model.normalised(_offset(query, net))


def _offset(query: ScoredPostsQuery, net: np.ndarray) -> np.ndarray:
    without = left_out(query.params)
    return value_model.offset(net, query.weights.weights, query.params.negative_scores_offset, without=without)


def left_out(params: Params) -> tuple[str, ...]:
    """Heads that multiply instead of adding, and so do not count in the offset."""
    return (UNEXPLORED,) if params.unexplored_multiplies else ()


def _regrets(query: ScoredPostsQuery) -> bool:
    """Whether this viewer is ranked by dwell and regret."""
    mode = query.params.value_mode
    if mode == GATED and query.scoring_sequence is not None:
        features = dwell_regret.gate_features(
            query.scoring_sequence,
            now_ms=query.now_ms,
            followers=query.viewer.follower_count,
            followings=len(query.followed_user_ids),
            account_age_s=query.account_age_s,
        )
        return dwell_regret.gate_opens(features)
    return mode == "dwell_regret_sigmoid"


def _cold_start(query: ScoredPostsQuery, batch: Batch, scores: np.ndarray) -> np.ndarray:
    if not query.params.enable_cold_start:
        return scores
    return author_cold_start.lift(query, batch, scores).scores


def repeats(query: ScoredPostsQuery, batch: Batch, base: np.ndarray) -> dict[str, np.ndarray]:
    """Earlier posts of the same author on this page, and on the pages before where that counts."""
    if query.author_exposure is None:
        return {
            "author_position": value_model.author_positions(base, batch["author_id"]),
            "author_history": np.zeros(batch.n),
        }
    authors = original_authors(batch)
    known, exposure = query.author_exposure
    history = np.zeros(batch.n)
    if len(known):
        place = np.minimum(np.searchsorted(known, authors), len(known) - 1)
        history = np.where(known[place] == authors, exposure[place], 0.0)
    return {"author_position": value_model.author_positions(base, authors), "author_history": history}


def network_factor(query: ScoredPostsQuery, batch: Batch) -> np.ndarray:
    """The discount of strangers' posts, and of replies and reposts by the followed; unknown is never discounted.

    The viewer's own say is about strangers alone.
    """
    is_strange = batch["in_network"] == NO
    discounted = is_strange.copy()
    if query.params.oon_rescore_in_network:
        passed_on = (batch["in_reply_to_id"] > 0) | (batch["repost_of_id"] > 0)
        discounted |= (batch["in_network"] == YES) & passed_on
    return np.where(discounted, oon_factor(query), 1.0) * np.where(is_strange, query.weights.tuning.strangers, 1.0)


def oon_factor(query: ScoredPostsQuery) -> float:
    """What a stranger's post is multiplied by on this request."""
    params = query.params
    if query.topic_ids:
        return params.topic_oon_weight_factor
    is_new = query.account_age_s < params.new_user_age_s
    if is_new and len(query.followed_user_ids) >= params.new_user_min_following:
        return params.new_user_oon_weight_factor
    return params.oon_weight_factor


def _by_time(batch: Batch) -> dict[str, Any]:
    """Scores that sort by time: the newest gets 1, the others less, all multipliers 1."""
    order = np.argsort(np.argsort(batch["post_id"], kind="stable"), kind="stable")
    score = (order + 1) / max(batch.n, 1)
    ones = np.ones(batch.n)
    return {
        "combined": score,
        "weighted_score": score,
        "base_score": score,
        "author_position": np.zeros(batch.n),
        "author_history": np.zeros(batch.n),
        "diversity": ones,
        "oon_factor": ones,
        "score": score,
        "pool_rank": (batch.n - 1 - order),
    }

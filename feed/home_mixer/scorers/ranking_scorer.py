"""From predicted actions to one score: weighted sum, offset, author diversity, out-of-network factor."""

from typing import Any

import numpy as np

from feed.candidate_pipeline import Batch, Scorer
from feed.home_mixer.candidate import NO
from feed.home_mixer.query import ScoredPostsQuery
from feed.home_mixer.scorers import value_model


class RankingScorer(Scorer):
    """Keeps every factor beside the score, so that a receipt can show and repeat the sum.

    Without any prediction the order is by time, newest first.
    """

    reads = ("heads", "video_ms", "quoted_video_ms", "author_id", "in_network", "post_id")
    writes = ("combined", "weighted_score", "author_position", "diversity", "oon_factor", "score")
    inline = True

    def score(self, query: ScoredPostsQuery, batch: Batch) -> dict[str, Any]:
        """A few array operations; no reading."""
        if not np.isfinite(batch["heads"]).any():
            return _by_time(batch)
        params, weights = query.params, query.weights.weights
        eligible = value_model.video_eligible(
            batch["video_ms"], query.viewer.follower_count, params.min_video_duration_ms, params.vqv_max_followers
        )
        quoted = np.ones(batch.n, dtype=bool)
        if params.check_quoted_video:
            quoted = np.nan_to_num(batch["quoted_video_ms"], nan=0.0) > params.min_video_duration_ms
        combined = value_model.combined(batch["heads"], weights, vqv=eligible, quoted_vqv=quoted)
        weighted = value_model.offset(combined, weights, params.negative_scores_offset)
        position = value_model.author_positions(weighted, batch["author_id"])
        diversity = np.ones(batch.n)
        if params.enable_author_diversity:
            diversity = value_model.diversity(position, params.author_diversity_decay, params.author_diversity_floor)
        factor = np.where(batch["in_network"] == NO, oon_factor(query), 1.0)
        return {
            "combined": combined,
            "weighted_score": weighted,
            "author_position": position,
            "diversity": diversity,
            "oon_factor": factor,
            "score": weighted * diversity * factor,
        }


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
        "author_position": np.zeros(batch.n),
        "diversity": ones,
        "oon_factor": ones,
        "score": score,
    }

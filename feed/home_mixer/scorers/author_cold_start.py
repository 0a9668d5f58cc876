"""Author cold start: one post of a small author per request is lifted to about the fifteenth place.

Published in August 2026. Diversity and the out-of-network factor still apply after the lift.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from feed.candidate_pipeline import Batch
from feed.home_mixer import served_types
from feed.home_mixer.params import Params
from feed.home_mixer.query import ScoredPostsQuery, fraction, generator
from xsocial.kernel import ids

HOLDOUT, CONTROL, TREATMENT = "holdout", "control", "treatment"


@dataclass(frozen=True, slots=True)
class Lifted:
    """Scores after the step, and the lifted row (None when there was none)."""

    scores: np.ndarray
    row: int | None = None


def lift(query: ScoredPostsQuery, batch: Batch, scores: np.ndarray) -> Lifted:
    """At most one eligible post's score becomes that of the drawn slot."""
    params = query.params
    treated = _treated_authors(params, batch["author_id"])
    is_moe = batch["served_type"] == served_types.PHOENIX_MOE
    scores = np.where(is_moe & ~treated, 0.0, scores)
    target = _target(query, scores)
    if target is None:
        return Lifted(scores)
    eligible = np.flatnonzero(_eligible(query, batch, scores, treated, is_moe))
    if not len(eligible):
        return Lifted(scores)
    chosen = _best(eligible, scores) if not _samples(params) else _sampled(query, batch, eligible, scores)
    lifted = scores.copy()
    lifted[chosen] = max(scores[chosen], target)
    return Lifted(lifted, int(chosen))


def _treated_authors(params: Params, authors: np.ndarray) -> np.ndarray:
    """Rows whose author is in the treatment half; none unless the viewer is treated too."""
    if params.cold_start_arm != TREATMENT:
        return np.zeros(len(authors), bool)
    return author_is_treated(authors)


def author_is_treated(authors: np.ndarray) -> np.ndarray:
    """The half of all authors in the treatment, by a hash of their id."""
    unique, inverse = np.unique(authors, return_inverse=True)
    halves = np.array([fraction(int(author), "cold-start-author") < 0.5 for author in unique.tolist()], bool)
    return halves[inverse]


def _target(query: ScoredPostsQuery, scores: np.ndarray) -> float | None:
    """The score at a random rank of the slot, both ends cut to the list; None for an empty slot."""
    low = min(query.params.cold_start_slot_min, len(scores))
    high = min(query.params.cold_start_slot_max, len(scores))
    if low >= high:
        return None
    rank = int(generator(query.request_id, "cold-start-slot").integers(low, high))
    return float(np.sort(scores)[::-1][rank])


def _eligible(
    query: ScoredPostsQuery, batch: Batch, scores: np.ndarray, treated: np.ndarray, is_moe: np.ndarray
) -> np.ndarray:
    params = query.params
    order = np.argsort(-scores, kind="stable")
    rank = np.empty(len(order), np.int64)
    rank[order] = np.arange(len(order))
    num_scored = int(np.count_nonzero(scores))
    fits = (batch["in_reply_to_id"] == 0) & (batch["repost_of_id"] == 0)
    fits &= batch["author_followers"] <= params.cold_start_max_followers
    fits &= batch["views"] < params.cold_start_max_views
    fits &= (scores != 0) & (rank < int(params.cold_start_share * num_scored))
    if params.cold_start_arm == TREATMENT:
        age_ms = query.now_ms - ids.timestamp_ms(batch["post_id"])
        return fits & treated & (age_ms <= 1_000 * params.cold_start_max_age_s)
    if params.cold_start_arm == CONTROL:
        fits &= ~author_is_treated(batch["author_id"])
    return fits & ~is_moe


def _best(rows: np.ndarray, scores: np.ndarray) -> int:
    """The row with the highest score; the later of equal ones."""
    return int(rows[np.flatnonzero(scores[rows] == scores[rows].max())[-1]])


def _samples(params: Params) -> bool:
    priors = min(params.cold_start_prior_likes, params.cold_start_prior_rest)
    return params.cold_start_thompson and priors > 0 and params.cold_start_draws > 0


def _sampled(query: ScoredPostsQuery, batch: Batch, rows: np.ndarray, scores: np.ndarray) -> int:
    """Thompson sampling over like rates: the best few draws, then the highest score among them."""
    params = query.params
    views = np.nan_to_num(batch["views"][rows])
    likes = np.minimum(np.nan_to_num(batch["favorites"][rows]), views)
    draws = generator(query.request_id, "cold-start-draws").beta(
        params.cold_start_prior_likes + likes, params.cold_start_prior_rest + views - likes
    )
    return _best(rows[np.sort(np.argsort(-draws, kind="stable")[: params.cold_start_draws])], scores)

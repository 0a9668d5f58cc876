"""The ranking formulas over arrays. Pure, so that a receipt is recomputed by the same code.

combined  = sum of weight * prediction; a missing prediction counts 0
weighted  = combined + e for combined >= 0, squeezed into [0, e) below
diversity = (1 - floor) * decay^k + floor, k earlier candidates of the same author
score     = weighted * diversity * out-of-network factor
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from feed.home_mixer.params import HEADS, PUBLISHED_WEIGHTS, WEIGHTS

_VQV, _QUOTED_VQV = HEADS.index("vqv"), HEADS.index("quoted_vqv")
NEGATIVE = ("not_interested", "block_author", "mute_author", "report", "not_dwelled")


def weight_vector(weights: Mapping[str, float]) -> np.ndarray:
    """Weights in head order; a head left out keeps the published value."""
    return np.array([float(weights.get(head, PUBLISHED_WEIGHTS[head])) for head in HEADS])


def video_eligible(video_ms: np.ndarray, viewer_followers: int, min_ms: int, max_followers: int) -> np.ndarray:
    """Whether the video head counts: longer than the minimum, and the viewer not widely followed."""
    long_enough = np.nan_to_num(video_ms, nan=0.0) > min_ms
    return long_enough & (viewer_followers < max_followers)


def contributions(
    heads: np.ndarray, weights: Mapping[str, float], *, vqv: np.ndarray, quoted_vqv: np.ndarray
) -> np.ndarray:
    """What each head adds to each candidate (n x heads)."""
    terms = np.nan_to_num(heads, nan=0.0) * weight_vector(weights)
    terms[:, _VQV] *= vqv
    terms[:, _QUOTED_VQV] *= quoted_vqv
    return terms


def combined(heads: np.ndarray, weights: Mapping[str, float], *, vqv: np.ndarray, quoted_vqv: np.ndarray) -> np.ndarray:
    """The weighted sum over 20 discrete and 2 continuous heads."""
    return contributions(heads, weights, vqv=vqv, quoted_vqv=quoted_vqv).sum(axis=1)


def totals(weights: Mapping[str, float]) -> tuple[float, float]:
    """P and N: sums of the positive discrete weights and of the negative ones' magnitudes."""
    values = dict(zip(HEADS, weight_vector(weights).tolist(), strict=True))
    discrete = [weight.head for weight in WEIGHTS if not weight.continuous]
    positive = sum(values[head] for head in discrete if head not in NEGATIVE)
    return positive, -sum(values[head] for head in NEGATIVE)


def offset(values: np.ndarray, weights: Mapping[str, float], epsilon: float) -> np.ndarray:
    """Net-negative sums into [0, epsilon), the others above; order is kept within both."""
    positive, negative = totals(weights)
    total = positive + negative
    if total == 0:
        return np.maximum(values, 0.0)
    return np.where(values < 0, (values + negative) / total * epsilon, values + epsilon)


def author_positions(weighted: np.ndarray, authors: np.ndarray) -> np.ndarray:
    """For each candidate, how many of the same author stand before it by weighted score."""
    order = np.argsort(-weighted, kind="stable")
    grouped = order[np.argsort(authors[order], kind="stable")]
    ranked = authors[grouped]
    is_first = np.r_[True, ranked[1:] != ranked[:-1]] if len(ranked) else np.zeros(0, bool)
    first = np.flatnonzero(is_first)
    sizes = np.diff(np.r_[first, len(ranked)])
    position = np.empty(len(ranked), np.int64)
    position[grouped] = np.arange(len(ranked)) - np.repeat(first, sizes)
    return position


def diversity(position: np.ndarray, decay: float, floor: float) -> np.ndarray:
    """The multiplier of an author's k-th candidate."""
    return (1.0 - floor) * decay**position + floor

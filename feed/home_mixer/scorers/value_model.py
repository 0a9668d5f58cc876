"""The ranking formulas over arrays. Pure, so that a receipt is recomputed by the same code.

combined  = positive terms - negative terms; a term is weight * prediction, a missing one counts 0
weighted  = combined + e for combined >= 0, squeezed into [0, e) below
base      = weighted, or what a cold start lifts it to
diversity = (1 - floor) * decay^k + floor, k earlier candidates of the same author
score     = base * diversity * out-of-network factor
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields

import numpy as np

from feed.home_mixer.params import HEADS, PUBLISHED_WEIGHTS, WEIGHTS

_PLACE = {head: place for place, head in enumerate(HEADS)}
NEGATIVE = ("not_interested", "block_author", "mute_author", "report", "not_dwelled")


@dataclass(frozen=True, slots=True)
class Conditions:
    """What decides how much of a term counts: one value per candidate, or one for all.

    ``vqv``, ``quoted_vqv`` and ``unexplored`` switch those heads; the boosts are added to a weight;
    the factors multiply a finished term.
    """

    vqv: np.ndarray | float = 1.0
    quoted_vqv: np.ndarray | float = 1.0
    unexplored: np.ndarray | float = 1.0
    reply_boost: np.ndarray | float = 0.0
    dwell_boost: np.ndarray | float = 0.0
    dwell_time_factor: np.ndarray | float = 1.0
    click_dwell_factor: np.ndarray | float = 1.0

    def matrix(self, n: int) -> np.ndarray:
        """Everything as a column of candidates (n x fields)."""
        return np.stack([np.broadcast_to(np.float64(getattr(self, field.name)), n) for field in fields(self)], axis=1)

    @classmethod
    def named(cls, row: Sequence[float]) -> dict[str, float]:
        """One row of the matrix by name, without what has its default: what a receipt keeps."""
        pairs = zip(fields(cls), row, strict=True)
        return {field.name: value for field, value in pairs if math.isfinite(value) and value != field.default}

    @classmethod
    def of_rows(cls, rows: Sequence[Mapping[str, float]]) -> Conditions:
        """From what receipts kept."""
        columns = {field.name: np.array([row.get(field.name, field.default) for row in rows]) for field in fields(cls)}
        return cls(**columns)


def weight_vector(weights: Mapping[str, float]) -> np.ndarray:
    """Weights in head order; a head left out keeps the published value."""
    return np.array([float(weights.get(head, PUBLISHED_WEIGHTS[head])) for head in HEADS])


def video_eligible(video_ms: np.ndarray, viewer_followers: int, min_ms: int, max_followers: int) -> np.ndarray:
    """Whether the video head counts: longer than the minimum, and the viewer not widely followed."""
    long_enough = np.nan_to_num(video_ms, nan=0.0) > min_ms
    return long_enough & (viewer_followers < max_followers)


def contributions(heads: np.ndarray, weights: Mapping[str, float], conditions: Conditions) -> np.ndarray:
    """What each head adds to each candidate (n x heads)."""
    known = np.nan_to_num(heads, nan=0.0)
    terms = known * weight_vector(weights)
    for head, boost in (("reply", conditions.reply_boost), ("dwell", conditions.dwell_boost)):
        terms[:, _PLACE[head]] += known[:, _PLACE[head]] * boost
    for head, factor in (
        ("vqv", conditions.vqv),
        ("quoted_vqv", conditions.quoted_vqv),
        ("post_unexplored", conditions.unexplored),
        ("dwell_time", conditions.dwell_time_factor),
        ("click_dwell_time", conditions.click_dwell_factor),
    ):
        terms[:, _PLACE[head]] *= factor
    return terms


def combined(heads: np.ndarray, weights: Mapping[str, float], conditions: Conditions) -> np.ndarray:
    """The positive terms' sum less the negative terms' magnitudes."""
    return contributions(heads, weights, conditions).sum(axis=1)


def totals(weights: Mapping[str, float], *, without: tuple[str, ...] = ()) -> tuple[float, float]:
    """P and N: sums of the positive discrete weights and of the negative ones' magnitudes.

    A head that multiplies another term instead of adding its own is named in ``without``.
    """
    values = dict(zip(HEADS, weight_vector(weights).tolist(), strict=True))
    discrete = [weight.head for weight in WEIGHTS if not weight.continuous]
    positive = sum(values[head] for head in discrete if head not in NEGATIVE and head not in without)
    return positive, -sum(values[head] for head in NEGATIVE)


def offset(
    values: np.ndarray, weights: Mapping[str, float], epsilon: float, *, without: tuple[str, ...] = ()
) -> np.ndarray:
    """Net-negative sums into [0, epsilon), the others above; order is kept within both."""
    positive, negative = totals(weights, without=without)
    total = positive + negative
    if total == 0:
        return np.maximum(values, 0.0)
    return np.where(values < 0, (values + negative) / total * epsilon, values + epsilon)


def normalised(scores: np.ndarray) -> np.ndarray:
    """The published step between offset and diversity: its body was never published, so it changes nothing.

    Upstream dropped it in August 2026; a platform that wants one puts it here, and pages and
    receipts follow alike.
    """
    return scores


def click_dwell_factor(heads: np.ndarray, baseline: float) -> np.ndarray:
    """The penalty on time spent inside a post nobody would like: sqrt(p_favorite / baseline) in [0.01, 1].

    Without a favourite prediction nothing is taken off.
    """
    favorite = heads[:, _PLACE["favorite"]]
    share = np.clip(np.sqrt(favorite / max(baseline, np.finfo(float).tiny)), 0.01, 1.0)
    return np.where(np.isnan(favorite), 1.0, share)


def author_positions(weighted: np.ndarray, authors: np.ndarray) -> np.ndarray:
    """For each candidate, how many of the same author stand before it by weighted score."""
    return repeats(authors, np.argsort(-weighted, kind="stable"))[0]


def repeats(keys: np.ndarray, order: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Per row, in a ranking: how many earlier rows have the same key, and how far back the last one stands.

    The gap is -1 for a key's first row. ``order`` lists row numbers, best first.
    """
    count, gap = np.zeros(len(order), np.int64), np.full(len(order), -1, np.int64)
    if not len(order):
        return count, gap
    by_key = np.argsort(keys[order], kind="stable")  # ranks, grouped by key, best first
    grouped = order[by_key]
    sorted_keys, places = keys[grouped], np.arange(len(order))
    is_first = np.ones(len(order), bool)
    is_first[1:] = sorted_keys[1:] != sorted_keys[:-1]
    count[grouped] = places - np.maximum.accumulate(np.where(is_first, places, 0))
    gap[grouped[1:]] = np.where(is_first[1:], -1, by_key[1:] - by_key[:-1])
    return count, gap


def diversity(position: np.ndarray, decay: float, floor: float) -> np.ndarray:
    """The multiplier of an author's k-th candidate."""
    return (1.0 - floor) * decay**position + floor

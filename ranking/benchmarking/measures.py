"""Ranks of targets among all items, the figures made of them, and the paired bootstrap."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ranking.types import Bools, Int64s

MISSED = np.iinfo(np.int64).max
RESAMPLES = 2000

Array = npt.NDArray[np.floating]


def target_ranks(scores: Array, targets: Int64s, is_candidate: Bools) -> Int64s:
    """Rank (from 1) of each target among the candidates [N]; ties, other targets included, count against it.

    A target that is no candidate (nobody had met it yet) is missed.
    """
    reached = targets[is_candidate[targets]]
    ranks = (scores[is_candidate][None, :] >= scores[reached][:, None]).sum(axis=1)
    missed = np.full(len(targets) - len(reached), MISSED, dtype=np.int64)
    return np.concatenate([ranks, missed]).astype(np.int64)


@dataclass(frozen=True)
class Figures:
    """Means over requests, and NDCG@10 of each request for paired comparisons."""

    ndcg10: float
    recall10: float
    recall50: float
    mrr10: float
    se_ndcg10: float
    per_request: Array


def figures(ranks: list[Int64s]) -> Figures:
    """Binary NDCG@10, Recall@K = hits / targets, MRR@10 over requests."""
    discount = 1 / np.log2(np.arange(2, 12))
    ideal = np.cumsum(discount)
    ndcg, recall10, recall50, mrr = (np.zeros(len(ranks)) for _ in range(4))
    for i, found in enumerate(ranks):
        top = found[found <= 10]
        ndcg[i] = discount[top - 1].sum() / ideal[min(len(found), 10) - 1]
        recall10[i] = len(top) / len(found)
        recall50[i] = (found <= 50).mean()
        mrr[i] = 1 / top.min() if len(top) else 0.0
    error = ndcg.std(ddof=1) / np.sqrt(len(ndcg)) if len(ndcg) > 1 else 0.0
    means = (float(values.mean()) for values in (ndcg, recall10, recall50, mrr))
    return Figures(*means, float(error), ndcg)


def paired_bootstrap(mine: Array, other: Array, users: Int64s, *, seed: int = 0) -> tuple[float, float, float]:
    """Difference of the means with its 95 % interval; whole users are drawn again and again."""
    difference = mine - other
    _, person = np.unique(users, return_inverse=True)
    sums = np.bincount(person, weights=difference)
    counts = np.bincount(person).astype(float)
    rng = np.random.default_rng(seed)
    means = np.empty(RESAMPLES)
    for i in range(RESAMPLES):
        drawn = rng.integers(0, len(sums), len(sums))
        means[i] = sums[drawn].sum() / counts[drawn].sum()
    low, high = np.percentile(means, [2.5, 97.5])
    return float(difference.mean()), float(low), float(high)

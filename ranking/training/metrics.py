"""Figures of a ranking: all from scores and labels, none from the model."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.floating]


def auc(scores: Array, labels: Array) -> float | None:
    """Probability that a positive outranks a negative, ties counted half; None without both."""
    positives = labels > 0
    num_pos, num_neg = int(positives.sum()), int((~positives).sum())
    if not num_pos or not num_neg:
        return None
    _, inverse, counts = np.unique(scores, return_inverse=True, return_counts=True)
    mean_rank = np.cumsum(counts) - (counts - 1) / 2
    rank_sum = mean_rank[inverse.ravel()][positives].sum()
    return float((rank_sum - num_pos * (num_pos + 1) / 2) / (num_pos * num_neg))


def pr_auc(scores: Array, labels: Array) -> float | None:
    """Average precision: precision at each distinct score, weighted by the recall it adds; None without positives."""
    positives = labels > 0
    if not positives.any():
        return None
    _, inverse, counts = np.unique(-scores, return_inverse=True, return_counts=True)
    hits = np.bincount(inverse.ravel(), weights=positives)
    precision = np.cumsum(hits) / np.cumsum(counts)
    return float((precision * hits).sum() / positives.sum())


def normalised_entropy(probabilities: Array, labels: Array) -> float | None:
    """Cross-entropy relative to that of always predicting the base rate; below 1 is better."""
    rate = float(labels.mean()) if len(labels) else 0.0
    if not 0 < rate < 1:
        return None
    p = np.clip(probabilities.astype(np.float64), 1e-7, 1 - 1e-7)
    entropy = -(labels * np.log(p) + (1 - labels) * np.log1p(-p)).mean()
    return float(entropy / -(rate * np.log(rate) + (1 - rate) * np.log(1 - rate)))


def calibration(probabilities: Array, labels: Array) -> float | None:
    """Predicted positives over positives; 1 is calibrated."""
    total = float(labels.sum())
    return float(probabilities.sum() / total) if total else None


def reliability(probabilities: Array, labels: Array, *, bins: int = 15) -> list[tuple[int, float, float]]:
    """(size, mean prediction, share of positives) of bins of equal size, by rising prediction."""
    order = np.argsort(probabilities, kind="stable")
    groups = np.array_split(order, min(bins, max(len(order), 1)))
    return [(len(g), float(probabilities[g].mean()), float(labels[g].mean())) for g in groups if len(g)]


def expected_calibration_error(probabilities: Array, labels: Array, *, bins: int = 15) -> float:
    """Mean gap between prediction and outcome over bins of equal size."""
    found = reliability(probabilities, labels, bins=bins)
    gaps = sum(size * abs(predicted - happened) for size, predicted, happened in found)
    return float(gaps / max(len(probabilities), 1))


def _ranked(scores: Array, gains: Array, valid: npt.NDArray[np.bool_]) -> Array:
    """Gains [R, C] in descending order of score; equal scores keep the order of columns reversed.

    Reversed, because the first columns are what the log showed first: a constant score earns nothing
    from that.
    """
    flipped = np.where(valid, scores, -np.inf)[:, ::-1]
    order = np.argsort(-flipped, axis=1, kind="stable")
    return np.take_along_axis(np.where(valid, gains, 0.0)[:, ::-1], order, axis=1)


def ndcg(scores: Array, gains: Array, valid: npt.NDArray[np.bool_], *, k: int = 10) -> float | None:
    """Mean NDCG@k over requests with any gain (linear gains, log2 discount)."""
    found = ndcg_by_request(scores, gains, valid, k=k)
    found = found[~np.isnan(found)]
    return float(found.mean()) if len(found) else None


def ndcg_by_request(scores: Array, gains: Array, valid: npt.NDArray[np.bool_], *, k: int = 10) -> Array:
    """NDCG@k of each request, NaN without any gain."""
    ranked = _ranked(scores, gains, valid)[:, :k]
    ideal = -np.sort(-np.where(valid, gains, 0.0), axis=1)[:, :k]
    discount = 1 / np.log2(np.arange(ranked.shape[1]) + 2)
    best = (ideal * discount).sum(axis=1)
    return np.where(best > 0, (ranked * discount).sum(axis=1) / np.where(best > 0, best, 1), np.nan)


def mrr(scores: Array, gains: Array, valid: npt.NDArray[np.bool_], *, k: int = 10) -> float | None:
    """Mean reciprocal rank of the first gain within k, over requests with any gain."""
    has_gain = np.where(valid, gains, 0.0).max(axis=1, initial=0) > 0
    if not has_gain.any():
        return None
    hits = _ranked(scores, gains, valid)[has_gain, :k] > 0
    first = np.where(hits.any(axis=1), 1 / (hits.argmax(axis=1) + 1), 0.0)
    return float(first.mean())


def recall(scores: Array, gains: Array, valid: npt.NDArray[np.bool_], *, k: int = 10) -> float | None:
    """Mean share of a request's gainful posts among the first k, over requests with any."""
    wanted = (np.where(valid, gains, 0.0) > 0).sum(axis=1)
    if not wanted.any():
        return None
    found = (_ranked(scores, gains, valid)[:, :k] > 0).sum(axis=1)
    return float((found[wanted > 0] / wanted[wanted > 0]).mean())


def top(scores: Array, valid: npt.NDArray[np.bool_], *, k: int = 10) -> npt.NDArray[np.bool_]:
    """Which places [R, C] are among the first k of their request."""
    flipped = np.where(valid, scores, -np.inf)[:, ::-1]
    order = np.argsort(-flipped, axis=1, kind="stable")
    chosen = np.zeros(flipped.shape, dtype=bool)
    np.put_along_axis(chosen, order[:, :k], True, axis=1)
    return chosen[:, ::-1] & valid


def gini(counts: Array) -> float | None:
    """Inequality of how often each was shown: 0 all alike, near 1 one has everything."""
    values = np.sort(np.asarray(counts, dtype=np.float64))
    if not values.sum():
        return None
    ranks = np.arange(1, len(values) + 1)
    return float((2 * ranks - len(values) - 1) @ values / (len(values) * values.sum()))

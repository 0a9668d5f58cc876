"""Determinantal reranking: of posts that say the same, the best keeps its score.

Greedy maximum-determinant selection by incremental Cholesky (Chen, Zhang, Zhou 2018), with the
constants of the published value model "dpp". It only filters: survivors keep their scores.
"""

from __future__ import annotations

import math

import numpy as np

TINY = 1e-6


def alpha(theta: float) -> float:
    """How strongly quality counts against likeness: theta / (2 (1 - theta))."""
    clamped = min(max(theta, 0.0), 1.0 - TINY)
    return clamped / (2.0 * (1.0 - clamped))


def log_weights(scores: np.ndarray, theta: float) -> np.ndarray:
    """log w = alpha q for a pool ordered best first, with q a score's share of the best one."""
    return alpha(theta) * scores / max(float(scores[0]), TINY)


def cosines(vectors: np.ndarray) -> np.ndarray:
    """Likeness of each pair; of vectors without length none but with themselves."""
    lengths = np.linalg.norm(vectors, axis=1)
    products = np.outer(lengths, lengths)
    found = np.where(products > TINY, vectors @ vectors.T / np.maximum(products, TINY), 0.0)
    np.fill_diagonal(found, 1.0)
    return found


def select(weights: np.ndarray, likeness: np.ndarray, top_k: int) -> np.ndarray:
    """Rows in the order of choice under L_ij = w_i w_j cos_ij: each time that with the largest conditional variance,
    as long as one is above `TINY`.

    That variance is w_i^2 times the one under the cosines alone, and compared as a logarithm: for theta near 1
    the weights are beyond any number.
    """
    n = len(likeness)
    variance = np.ones(n)
    basis = np.zeros((min(top_k, n), n))
    chosen: list[int] = []
    while len(chosen) < len(basis):
        # Less is rounding: what is chosen already, and its copies.
        value = np.where(variance > TINY**2, 2 * weights + np.log(np.maximum(variance, TINY**2)), -np.inf)
        best = int(value.argmax())
        if value[best] <= math.log(TINY):
            break
        row = (likeness[best] - basis[: len(chosen), best] @ basis[: len(chosen)]) / math.sqrt(variance[best])
        basis[len(chosen)] = row
        chosen.append(best)
        variance -= row * row
        variance[best] = 0.0
    return np.array(chosen, np.int64)


def keeps_score(scores: np.ndarray, vectors: np.ndarray, *, theta: float, top_k: int) -> np.ndarray:
    """Which rows of a pool, ordered best first, keep their score; all others get 0."""
    keep = np.zeros(len(scores), bool)
    if len(scores):
        keep[select(log_weights(scores, theta), cosines(vectors), top_k)] = True
    return keep

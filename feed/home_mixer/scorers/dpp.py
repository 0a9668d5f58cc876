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


def kernel(scores: np.ndarray, vectors: np.ndarray, theta: float) -> np.ndarray:
    """L over a pool ordered best first: L_ii = w_i^2, L_ij = w_i w_j cos_ij, w = exp(alpha q)."""
    quality = scores / max(float(scores[0]), TINY)
    weight = np.exp(alpha(theta) * quality)
    lengths = np.linalg.norm(vectors, axis=1)
    products = np.outer(lengths, lengths)
    cosines = np.where(products > TINY, vectors @ vectors.T / np.maximum(products, TINY), 0.0)
    np.fill_diagonal(cosines, 1.0)
    return np.outer(weight, weight) * cosines


def select(matrix: np.ndarray, top_k: int) -> np.ndarray:
    """Rows in the order of choice: largest diagonal first, then largest conditional variance."""
    n = len(matrix)
    variance = np.diag(matrix).copy()
    basis = np.zeros((min(top_k, n), n))
    chosen: list[int] = []
    while len(chosen) < len(basis):
        best = int(variance.argmax())
        if variance[best] <= TINY:
            break
        row = (matrix[best] - basis[: len(chosen), best] @ basis[: len(chosen)]) / math.sqrt(variance[best])
        basis[len(chosen)] = row
        chosen.append(best)
        variance -= row * row
        variance[best] = -np.inf
    return np.array(chosen, np.int64)


def keeps_score(scores: np.ndarray, vectors: np.ndarray, *, theta: float, top_k: int) -> np.ndarray:
    """Which rows of a pool, ordered best first, keep their score; all others get 0."""
    keep = np.zeros(len(scores), bool)
    if len(scores):
        keep[select(kernel(scores, vectors, theta), top_k)] = True
    return keep

"""What is known when a request is asked: fitted interactions as matrices, and live decaying counts."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy import sparse
from scipy.linalg import lapack

from ranking.benchmarking.interactions import Float64s, Interactions
from ranking.benchmarking.protocols import Histories, Requests, Split
from ranking.types import Bools, Floats, Int64s

DAY = 86_400.0
# Above this many items, item-item matrices are kept sparse and EASE is left out (a dense inverse).
MAX_DENSE_ITEMS = 6_000
SPARSE_NEIGHBOURS = 400
SPARSE_BLOCK = 1_000

REFRESHES = 10  # of what is fitted, in live evaluation

ItemMatrix = npt.NDArray[np.float32] | sparse.csr_matrix


class Nearest(NamedTuple):
    """Of every item its nearest others, best first, how near they are, and what it took to find them."""

    items: Int64s  # [N, SPARSE_NEIGHBOURS]
    values: Floats  # [N, SPARSE_NEIGHBOURS]
    seconds: float


@dataclass(frozen=True)
class Known:
    """The interactions a model may use. In live evaluation everything before a request joins them."""

    table: Interactions
    histories: Histories
    fit: Bools
    is_live: bool = False

    @classmethod
    def of(cls, table: Interactions, split: Split, histories: Histories | None = None) -> Known:
        return cls(table, histories or Histories.of(table), split.fit, split.is_live)

    def until(self, row: int) -> Known:
        """The same at a later moment of live evaluation."""
        return Known(self.table, self.histories, np.arange(len(self.table)) < row, self.is_live)

    @property
    def num_items(self) -> int:
        return self.table.num_items

    @cached_property
    def rows(self) -> Int64s:
        return np.flatnonzero(self.fit)

    @cached_property
    def matrix(self) -> sparse.csr_matrix:
        """Users x items of ones."""
        pairs = (self.table.users[self.rows], self.table.items[self.rows])
        shape = (self.table.num_users, self.num_items)
        return sparse.csr_matrix((np.ones(len(self.rows), dtype=np.float32), pairs), shape=shape)

    @cached_property
    def item_counts(self) -> Floats:
        return np.bincount(self.table.items[self.rows], minlength=self.num_items).astype(np.float32)

    @cached_property
    def together(self) -> Floats:
        """How many users met both of two items [N, N]; the diagonal holds the counts."""
        return (self.matrix.T @ self.matrix).toarray()

    @cached_property
    def nearest(self) -> dict[float, Nearest]:
        """By shrinkage, as they are asked for; many settings of many models share them."""
        return {}

    @cached_property
    def counted_rows(self) -> Int64s:
        """The rows that running counts go through, in order of time."""
        return np.arange(len(self.table)) if self.is_live else self.rows

    def history(self, request: int, requests: Requests) -> Int64s:
        """Rows of the history of a request, oldest first."""
        return self.histories.rows(int(requests.users[request]), int(requests.lengths[request]))

    def candidates(self, history: Int64s, known: int) -> Bools:
        """Items the user has not met; in live evaluation only those that somebody has."""
        mask = np.ones(self.num_items, dtype=bool)
        if self.is_live:
            mask = self.item_counts > 0
            mask[self.table.items[len(self.rows) : known]] = True
        mask[self.table.items[history]] = False
        return mask


class RunningCounts:
    """Interactions per item, decayed with several time constants, moved along with the requests."""

    def __init__(self, known: Known, taus_days: tuple[float, ...]) -> None:
        self.table, self.rows, self.is_live = known.table, known.counted_rows, known.is_live
        self.taus: Float64s = np.array(taus_days)[:, None] * DAY
        self.decayed = np.zeros((len(taus_days), known.num_items))
        self.total = np.zeros(known.num_items)
        self.first = np.full(known.num_items, np.inf)
        self.last = np.full(known.num_items, -np.inf)
        self.done = 0
        self._at = -np.inf

    def advance(self, at: float, known: int) -> None:
        """Counts everything strictly before row `known` (live), or up to the time `at`."""
        stop = known if self.is_live else int(np.searchsorted(self.table.at[self.rows], at, side="right"))
        if np.isfinite(self._at):
            self.decayed *= np.exp(-(at - self._at) / self.taus)
        new = self.rows[self.done : stop]
        items, times = self.table.items[new], self.table.at[new]
        weights = np.exp(-(at - times) / self.taus)
        if len(new) == 1:
            self.decayed[:, items[0]] += weights[:, 0]
        elif len(new):
            for row, weight in zip(self.decayed, weights, strict=True):
                row += np.bincount(items, weights=weight, minlength=len(row))
        np.add.at(self.total, items, 1)
        np.minimum.at(self.first, items, times)
        np.maximum.at(self.last, items, times)
        self.done, self._at = max(stop, self.done), at


def recency_weights(length: int, decay: float, *, dtype: type = np.float32) -> npt.NDArray:
    """decay^distance from the newest of a history, oldest first."""
    return (decay ** np.arange(length - 1, -1, -1.0)).astype(dtype)


def cosine(known: Known, *, neighbours: int | None, shrinkage: float) -> ItemMatrix:
    """Similarity [history item, candidate]; each candidate keeps its nearest `neighbours`."""
    if known.num_items > MAX_DENSE_ITEMS:
        return _sparse_cosine(known, neighbours=neighbours or SPARSE_NEIGHBOURS, shrinkage=shrinkage)
    counts = known.item_counts
    similar = known.together / (np.sqrt(np.outer(counts, counts)) + shrinkage + 1e-12)
    np.fill_diagonal(similar, 0)
    if neighbours and neighbours < len(similar):
        least = -np.partition(-similar, neighbours - 1, axis=1)[:, neighbours - 1 : neighbours]
        similar[similar < least] = 0
    return np.ascontiguousarray(similar.T.astype(np.float32))


def _sparse_cosine(known: Known, *, neighbours: int, shrinkage: float) -> sparse.csr_matrix:
    if shrinkage not in known.nearest:
        known.nearest[shrinkage] = _nearest(known, shrinkage)
    items, values = (column[:, :neighbours] for column in known.nearest[shrinkage][:2])
    columns = np.repeat(np.arange(known.num_items), items.shape[1])
    shape = (known.num_items, known.num_items)
    matrix = sparse.csr_matrix((values.ravel(), (items.ravel(), columns)), shape=shape)
    matrix.eliminate_zeros()
    return matrix


def _nearest(known: Known, shrinkage: float) -> Nearest:
    started = time.monotonic()
    root = np.sqrt(known.item_counts)
    by_item, parts, count = known.matrix.T.tocsr(), [], min(SPARSE_NEIGHBOURS, known.num_items)
    for start in range(0, known.num_items, SPARSE_BLOCK):
        similar = (by_item[start : start + SPARSE_BLOCK] @ known.matrix).toarray()
        rows = np.arange(len(similar))[:, None]
        similar /= np.outer(root[start : start + len(rows)], root) + np.float32(shrinkage + 1e-12)
        similar[rows[:, 0], start + rows[:, 0]] = 0
        best = np.argpartition(-similar, count - 1, axis=1)[:, :count]
        best = best[rows, np.argsort(-similar[rows, best], axis=1, kind="stable")]
        parts.append((best, similar[rows, best]))
    items, values = (np.concatenate(column) for column in zip(*parts, strict=True))
    return Nearest(items, values, time.monotonic() - started)


def ease(known: Known, ridge: float) -> Floats:
    """Item-item weights of EASE (Steck 2019): B = -P / diag(P) with P = (X'X + ridge)^-1, diagonal 0."""
    gram = known.together.astype(np.float64)
    gram[np.diag_indices_from(gram)] += ridge
    # By Cholesky, in half the time of a general inverse; only the lower triangle comes back.
    inverse, _ = lapack.dpotri(lapack.dpotrf(gram, lower=1, overwrite_a=1)[0], lower=1, overwrite_c=1)
    inverse = np.tril(inverse) + np.tril(inverse, -1).T
    weights = -inverse / np.diag(inverse)
    np.fill_diagonal(weights, 0)
    return weights.astype(np.float32)


def in_order(requests: Requests) -> Iterator[int]:
    """Indices of requests by time, as running counts need them."""
    yield from np.lexsort((requests.known, requests.at)).tolist()


def renewals(known: Known, requests: Requests, *, once: float, allowed: float) -> list[int]:
    """Rows of the table at which live evaluation fits anew what took `once` seconds, within those allowed."""
    if not known.is_live:
        return []
    # A later moment has to find the nearest anew, whoever found them for this one.
    once = max([once, *(found.seconds for found in known.nearest.values())])
    times = min(REFRESHES, 1 + int(allowed / max(once, 1e-3)))
    return np.linspace(requests.known.min(), requests.known.max(), times + 1)[1:-1].astype(int).tolist()

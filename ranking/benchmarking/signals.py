"""What the ranker is told about every item at a request: live counts, age, and nearness to the history.

The same kinds of numbers as in the product (counts and their recent rate as of the request, likeness to
what the person did, what similar people did lately), made from nothing but the interactions.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy import sparse

from ranking.benchmarking.known import (
    DAY,
    MAX_DENSE_ITEMS,
    ItemMatrix,
    Known,
    RunningCounts,
    cosine,
    recency_weights,
)
from ranking.benchmarking.protocols import Requests
from ranking.types import Floats

TAUS = (1 / 24, 3 / 24, 0.5, 1.0, 3.0, 7.0, 14.0, 30.0, 60.0)  # days
READ = 100  # newest interactions of a history that count
FOLLOWING = 10  # how far apart two interactions may be to count as one following the other
FOLLOWING_DECAY = 0.85
FOLLOWING_SHRINKAGE = 10.0
CROWD_WINDOW = 30_000  # newest interactions searched for those of similar people
CROWD_TAUS = (0.25, 3.0, 1000.0)  # days
LOG_FLOOR = 1e-3

DECAYS = {
    "near": (1.0, 0.9, 0.7, 0.4),
    "near_any": (0.97, 0.8),
    "ease": (1.0, 0.97, 0.9, 0.7),
    "after": (0.95, 0.8, 0.5, 0.0),
}
# Each of these proposes its best items to the ranker.
PROPOSERS = (
    "near_0.9",
    "near_0.7",
    "ease_0.9",
    "after_0.8",
    "crowd_0.25",
    "crowd_1000",
    "pop_0.125",
    "pop_1",
    "pop_14",
    "recent_pop",
    "itemknn_recency",
    "ease_recency",
    "recent_pop_x_itemknn",
    "als",
    "tower",
)


class Signals:
    """Numbers [signals, N] for one request after another, in order of time; `ease` are weights of EASE, if fitted."""

    def __init__(self, known: Known, ease: Floats | None = None) -> None:
        self.known = known
        self.matrices: dict[str, ItemMatrix] = {
            "near": cosine(known, neighbours=200, shrinkage=20),
            "near_any": cosine(known, neighbours=None, shrinkage=0),
            "after": following(known),
        }
        if ease is not None:
            self.matrices["ease"] = ease
        self.people = known.matrix.tocsc()
        self.weights = 1 / np.sqrt(np.maximum(known.item_counts, 1))
        self.counts = RunningCounts(known, TAUS)
        self.names = tuple(self._names())

    def _names(self) -> list[str]:
        names = [f"pop_{tau:.3g}" for tau in TAUS] + ["total", "age", "idle", "is_new"]
        for matrix in self.matrices:
            for decay in DECAYS[matrix]:
                names += [f"{matrix}_{decay:g}", f"log_{matrix}_{decay:g}"]
        return names + [f"crowd_{tau:g}" for tau in CROWD_TAUS]

    def of(self, requests: Requests, request: int) -> Floats:
        """[signals, N]."""
        history = self.known.history(request, requests)
        items = self.known.table.items[history[-READ:]]
        at, known = float(requests.at[request]), int(requests.known[request])
        self.counts.advance(at, known)
        rows = [*self._popularity(at)]
        for name, matrix in self.matrices.items():
            weights = np.stack([recency_weights(len(items), decay) for decay in DECAYS[name]])
            near = weights @ matrix[items] if len(items) else np.zeros((len(weights), self.known.num_items))
            for row, total in zip(near, weights.sum(axis=1), strict=True):
                row = row / np.sqrt(max(total, 1.0))
                rows += [row, np.log(np.maximum(row, 0) + LOG_FLOOR)]
        rows += self._crowd(items, at, known)
        return np.stack(rows).astype(np.float32)

    def _popularity(self, at: float) -> list[npt.NDArray]:
        counts = self.counts
        is_new = counts.total == 0
        age, idle = (np.log1p(np.where(is_new, 0, at - since) / DAY * 24) for since in (counts.first, counts.last))
        return [*np.log1p(counts.decayed * 8), np.log1p(counts.total), age, idle, is_new]

    def _crowd(self, items: npt.NDArray[np.int64], at: float, known: int) -> list[npt.NDArray]:
        """Recent interactions, each weighted by how much its person shares with this history."""
        likeness = self.people[:, items] @ (recency_weights(len(items), 0.97) * self.weights[items])
        stop = known if self.known.is_live else self.counts.done
        rows = self.counts.rows[max(stop - CROWD_WINDOW, 0) : stop]
        table = self.known.table
        shared, age = likeness[table.users[rows]], (at - table.at[rows]) / DAY
        out = []
        for tau in CROWD_TAUS:
            total = np.bincount(table.items[rows], shared * np.exp(-age / tau), minlength=self.known.num_items)
            out.append(np.log(total + LOG_FLOOR))
        return out


def following(known: Known) -> ItemMatrix:
    """How often an item came soon after another in somebody's sequence, shrunk like a cosine."""
    rows = known.rows[np.argsort(known.table.users[known.rows], kind="stable")]
    users, items = known.table.users[rows], known.table.items[rows]
    shape = (known.num_items, known.num_items)
    total = sparse.csr_matrix(shape, dtype=np.float32)
    for distance in range(1, FOLLOWING + 1):
        same = users[:-distance] == users[distance:]
        pairs = (items[:-distance][same], items[distance:][same])
        weight = np.full(int(same.sum()), FOLLOWING_DECAY ** (distance - 1), dtype=np.float32)
        total = total + sparse.csr_matrix((weight, pairs), shape=shape)
    found = total.tocoo()
    root = np.sqrt(known.item_counts)
    values = found.data / (root[found.row] * root[found.col] + FOLLOWING_SHRINKAGE)
    matrix = sparse.csr_matrix((values.astype(np.float32), (found.row, found.col)), shape=shape)
    return matrix.toarray() if known.num_items <= MAX_DENSE_ITEMS else matrix

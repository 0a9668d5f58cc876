"""The usual baselines that count or solve: popularity, neighbours, EASE, and `implicit` ALS and BPR.

Each is fitted on what is known and gives a score per item for a request. Settings are chosen on the
validation split from the grids below.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import product
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
import torch
from implicit.cpu.als import AlternatingLeastSquares
from implicit.cpu.bpr import BayesianPersonalizedRanking
from scipy import sparse
from threadpoolctl import threadpool_limits

from ranking.benchmarking.known import Known, RunningCounts, cosine, ease, recency_weights
from ranking.benchmarking.protocols import Requests

Array = npt.NDArray[np.floating]
# Days. Hours matter in social logs, months in catalogues.
TAUS = (1 / 24, 3 / 24, 0.25, 0.5, 1.0, 3.0, 7.0, 14.0, 30.0, 60.0)
DECAYS = (1.0, 0.97, 0.9, 0.7, 0.5)
WHOLE_POPULARITY = 1e6


class Model(Protocol):
    """`scores` is asked in order of time."""

    def scores(self, requests: Requests, request: int) -> Array: ...


class Popularity:
    """Interactions so far; with `tau` in days, sum of exp(-age / tau) as of the request."""

    def __init__(self, known: Known, *, tau: float | None = None) -> None:
        self.known, self.tau = known, tau
        self.counts = RunningCounts(known, (tau or WHOLE_POPULARITY,))

    def scores(self, requests: Requests, request: int) -> Array:
        if self.tau is None and not self.known.is_live:
            return self.known.item_counts
        self.counts.advance(requests.at[request], int(requests.known[request]))
        return self.counts.total if self.tau is None else self.counts.decayed[0]


class Neighbours:
    """Item-kNN by cosine with shrinkage; the history weighs decay^distance from its newest."""

    def __init__(self, known: Known, *, k: int | None, shrinkage: float, decay: float = 1.0) -> None:
        self.known, self.decay = known, decay
        self.similar = cosine(known, neighbours=k, shrinkage=shrinkage)

    def scores(self, requests: Requests, request: int) -> Array:
        return weighted_rows(self.known, self.similar, requests, request, self.decay)


class Ease:
    """EASE, plain or with the history weighted as above."""

    def __init__(self, known: Known, *, ridge: float, decay: float = 1.0) -> None:
        self.known, self.decay = known, decay
        self.weights = ease(known, ridge)

    def scores(self, requests: Requests, request: int) -> Array:
        return weighted_rows(self.known, self.weights, requests, request, self.decay)


class PopularNeighbours:
    """Recency-weighted item-kNN times the logarithm of recent popularity to a power."""

    def __init__(self, known: Known, *, tau: float, decay: float, power: float, shrinkage: float) -> None:
        self.popularity = Popularity(known, tau=tau)
        self.neighbours = Neighbours(known, k=200, shrinkage=shrinkage, decay=decay)
        self.power = power

    def scores(self, requests: Requests, request: int) -> Array:
        popular = np.log1p(self.popularity.scores(requests, request))
        return popular**self.power * self.neighbours.scores(requests, request)


def weighted_rows(known: Known, matrix: Any, requests: Requests, request: int, decay: float) -> Array:
    items = known.table.items[known.history(request, requests)]
    return recency_weights(len(items), decay) @ matrix[items]


class Als:
    """`implicit` alternating least squares; a user's factors are solved anew from the known history."""

    def __init__(self, known: Known, *, seed: int, factors: int, regularization: float, alpha: float) -> None:
        self.known = known
        options = {"regularization": regularization, "alpha": alpha, "random_state": seed}
        # Its own threads and those of the matrix library get in each other's way.
        with threadpool_limits(1, "blas"):
            self.model = AlternatingLeastSquares(factors, **options, num_threads=torch.get_num_threads())
            self.model.fit(known.matrix, show_progress=False)

    def scores(self, requests: Requests, request: int) -> Array:
        items = np.unique(self.known.table.items[self.known.history(request, requests)])
        row = sparse.csr_matrix(
            (np.ones(len(items), dtype=np.float32), items, [0, len(items)]), shape=(1, self.known.num_items)
        )
        return self.model.item_factors @ self.model.recalculate_user(0, row)


class Bpr:
    """`implicit` Bayesian personalised ranking; a user without training interactions has no taste."""

    def __init__(self, known: Known, *, seed: int, factors: int, learning_rate: float, regularization: float) -> None:
        self.model = BayesianPersonalizedRanking(
            factors, learning_rate=learning_rate, regularization=regularization, random_state=seed, num_threads=1
        )
        self.model.fit(known.matrix, show_progress=False)

    def scores(self, requests: Requests, request: int) -> Array:
        return self.model.item_factors @ self.model.user_factors[requests.users[request]]


def settings(**values: tuple[Any, ...]) -> list[dict[str, Any]]:
    """All combinations."""
    return [dict(zip(values, chosen, strict=True)) for chosen in product(*values.values())]


Factory = Callable[..., Model]

# How each is made, and the settings tried. Live evaluation refits the counting ones on the way.
COUNTING: dict[str, tuple[Factory, list[dict[str, Any]]]] = {
    "pop": (Popularity, [{}]),
    "recent_pop": (Popularity, settings(tau=TAUS)),
    "itemknn": (Neighbours, settings(k=(20, 50, 100, 200, None), shrinkage=(0, 5, 20))),
    "itemknn_recency": (
        Neighbours,
        settings(k=(50, 200), shrinkage=(0, 20), decay=DECAYS),
    ),
    "recent_pop_x_itemknn": (
        PopularNeighbours,
        settings(tau=(0.25, 1.0, 7.0, 60.0), decay=(0.9, 0.7, 0.5), power=(0.1, 1.0, 3.0), shrinkage=(0, 20)),
    ),
    "ease": (Ease, settings(ridge=(10, 30, 100, 300, 1000, 3000))),
    "ease_recency": (Ease, settings(ridge=(100, 300, 1000), decay=DECAYS)),
}
# Fitted once, with a seed.
FACTORS: dict[str, tuple[Factory, list[dict[str, Any]]]] = {
    "als": (Als, settings(factors=(32, 64), regularization=(1, 10), alpha=(1, 10))),
    "bpr": (Bpr, settings(factors=(32, 64), learning_rate=(0.01, 0.05), regularization=(0.01, 0.05))),
}

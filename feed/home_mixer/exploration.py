"""A little seeded randomness in the order of some pages, logged with its probability.

Off-policy estimates need it, and it cannot be added to old logs. In a small share of requests a
few disjoint neighbouring pairs may swap. The propensity logged is the probability, within such a
request, that the post stands where it stands; a post outside the chosen pairs has 1.
"""

from __future__ import annotations

import numpy as np

from feed.candidate_pipeline import Batch
from feed.home_mixer.query import ScoredPostsQuery, fraction, generator


def explore(query: ScoredPostsQuery, selected: Batch) -> Batch:
    """The selected posts, in a few requests with neighbours swapped; ``propensity`` is filled."""
    order, propensity = np.arange(selected.n), np.ones(selected.n)
    swapped: list[int] = []
    params = query.params
    if fraction(query.request_id, "explore") < params.exploration_share and selected.n > 1:
        draws = generator(query.request_id, "explore-pairs")
        for first in _pairs(draws, selected.n, params.exploration_pairs):
            swaps = draws.random() < params.exploration_swap
            if swaps:
                order[[first, first + 1]] = order[[first + 1, first]]
                swapped.append(first)
            chance = params.exploration_swap if swaps else 1 - params.exploration_swap
            propensity[[first, first + 1]] = chance
    query.memo.put("explored", swapped)
    shown = selected.take(order)
    shown.assign("propensity", propensity)
    return shown


def _pairs(draws: np.random.Generator, n: int, wanted: int) -> list[int]:
    """Positions whose post and the next one form a pair; pairs do not overlap."""
    chosen: list[int] = []
    for first in draws.permutation(n - 1).tolist():
        if len(chosen) == wanted:
            break
        if all(abs(first - other) > 1 for other in chosen):
            chosen.append(first)
    return sorted(chosen)

"""How many independent voices a crowd of objectors is worth. Arrays in, a number out.

One person is one voice at most. A group counts the less, the more of its members' mutual follows
lie among the objectors themselves, beyond what chance would give: a ring of accounts that know
only one another is one voice, whatever its size and shape, and however long it takes over it.
Accounts that nobody knows, acting within the same hour, are one voice too. Only mutual follows
count as ties, because nobody can force another to follow back.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

HOUR_MS = 3_600_000
# A group half of whose ties (beyond chance) lie among the objectors speaks with one voice.
ONE_VOICE_AT = 0.5


@dataclass(frozen=True)
class Objectors:
    """A row per person: weight in (0, 1], when (ms), number of mutual follows with anybody.

    ``pairs`` (n x 2) are positions of objectors who follow each other, each pair once; ``share`` is the
    part of all active accounts that objects, which is what chance would put at the other end of a tie.
    """

    weights: np.ndarray
    at_ms: np.ndarray
    ties: np.ndarray
    pairs: np.ndarray
    share: float = 0.0


def voices(crowd: Objectors) -> float:
    """The crowd's weight after linked people have been counted together."""
    n = len(crowd.weights)
    if not n:
        return 0.0
    group = _groups(crowd)
    inside = np.bincount(crowd.pairs.ravel(), minlength=n)
    ties = np.maximum(crowd.ties, inside)
    size = int(group.max()) + 1
    total = np.bincount(group, crowd.weights, size)
    loudest = np.zeros(size)
    np.maximum.at(loudest, group, crowd.weights)
    all_ties = np.bincount(group, ties, size)
    internal = np.divide(np.bincount(group, inside, size), all_ties, out=np.ones(size), where=all_ties > 0)
    beyond_chance = np.clip((internal - crowd.share) / max(1 - crowd.share, 1e-9), 0, 1)
    linked = np.minimum(beyond_chance / ONE_VOICE_AT, 1)
    return float(((1 - linked) * total + linked * loudest).sum())


def _groups(crowd: Objectors) -> np.ndarray:
    """Group number per person: connected by mutual follows, or unknown to all and at the same hour."""
    n = len(crowd.weights)
    unknown = np.flatnonzero(crowd.ties == 0)
    unknown = unknown[np.argsort(crowd.at_ms[unknown], kind="stable")]
    close = np.diff(crowd.at_ms[unknown]) <= HOUR_MS
    first = np.concatenate([crowd.pairs[:, 0], unknown[:-1][close]])
    second = np.concatenate([crowd.pairs[:, 1], unknown[1:][close]])
    edges = coo_array((np.ones(len(first)), (first, second)), shape=(n, n))
    return connected_components(edges, directed=False)[1]


def decayed(age_ms: np.ndarray, half_life_days: float) -> np.ndarray:
    """What is left of a signal of this age: half after each half-life."""
    return 0.5 ** (np.maximum(age_ms, 0) / (half_life_days * 24 * HOUR_MS))


def factor(voices: float, viewers: int, *, prior: int, tolerance: float, half_rate: float, floor: float) -> float:
    """What recommendations of an author are multiplied by.

    The rate of objection is voices per person who met the author, with ``prior`` people added so that
    few say little. Up to ``tolerance`` nothing happens; at ``half_rate`` beyond it half of the way to
    ``floor`` is gone.
    """
    beyond = max(0.0, voices / (viewers + prior) - tolerance)
    return floor + (1 - floor) / (1 + beyond / half_rate)

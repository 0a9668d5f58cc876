"""Requests as the ranker reads them: who asks, what is proposed, and the signals of the proposals.

The ranker learns from interactions later than everything its signals were made of, asked as the protocol
asks, so that it trusts what holds for the unseen.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ranking.benchmarking.interactions import Float64s, Interactions
from ranking.benchmarking.known import Known, in_order
from ranking.benchmarking.protocols import (
    TEST,
    VALIDATION,
    Histories,
    Requests,
    Split,
    single_requests,
    window_split,
)
from ranking.benchmarking.sequences import recent_histories
from ranking.benchmarking.signals import PROPOSERS, Signals
from ranking.benchmarking.towers import Towers
from ranking.types import Bools, Floats, Int64s

PROPOSED = 200
BLOCK = 128
REFRESHES = 10
MAX_EXAMPLES = 6_000
# Of each sequence, what the ranker may learn from in leave-last-out: a share, and at most so many.
HELD_SHARE, HELD_MOST = 5, 6
TIME_CUTS = (0.55, 0.60, 0.65, 0.70)
LIVE_CUT = 0.6


def training_splits(table: Interactions, protocol: str) -> list[Split]:
    """Splits that lie wholly before the validation, earliest first."""
    if protocol == "live":
        start, stop = int(len(table) * LIVE_CUT), int(len(table) * VALIDATION)
        return [window_split(table, start, stop, is_live=True)]
    if protocol == "time":
        width = TEST - VALIDATION
        cuts = [(int(len(table) * cut), int(len(table) * (cut + width))) for cut in TIME_CUTS]
        return [window_split(table, cut, stop, is_live=False) for cut, stop in cuts]
    return [_held_out(table)]


def _held_out(table: Interactions) -> Split:
    histories = Histories.of(table)
    from_end = histories.counts[table.users] - 1 - histories.places()
    held = np.clip(histories.counts // HELD_SHARE, 1, HELD_MOST)[table.users]
    asked = np.flatnonzero((from_end >= 2) & (from_end < 2 + held))
    return Split(from_end >= 2 + held, single_requests(histories, asked))


class Reader:
    """Signals of one request after another; in live evaluation their matrices are renewed on the way."""

    def __init__(self, known: Known, towers: Towers, requests: Requests) -> None:
        self.known, self.towers = known, towers
        self.signals = Signals(known)
        first, last = int(requests.known.min()), int(requests.known.max())
        self._renewals = np.linspace(first, last, REFRESHES + 1)[1:-1].astype(int).tolist() if known.is_live else []

    @property
    def names(self) -> tuple[str, ...]:
        return (*self.signals.names, "tower", "tower_count")

    def read(self, requests: Requests, request: int, tower: Floats) -> Floats:
        """[signals, N], given the towers' scores [N]."""
        while self._renewals and requests.known[request] >= self._renewals[0]:
            self.signals = Signals(self.known.until(self._renewals.pop(0)))
        found = self.signals.of(requests, request)
        return np.concatenate([found, tower[None], self.towers.log_counts[None]])


@dataclass(frozen=True)
class Proposals:
    """R requests with K items each; -1 marks padding."""

    users: Int64s  # [R]
    at: Float64s  # [R]
    history: Int64s  # [R, S] rows of the table
    items: Int64s  # [R, K]
    created: Float64s  # [R, K] when the item was first met
    signals: Floats  # [R, K, F]
    is_target: Bools  # [R, K]

    def __len__(self) -> int:
        return len(self.users)

    def take(self, index: Int64s) -> Proposals:
        return Proposals(*(column[index] for column in vars(self).values()))

    @classmethod
    def joined(cls, parts: list[Proposals]) -> Proposals:
        columns = zip(*(vars(part).values() for part in parts), strict=True)
        return cls(*(np.concatenate(column) for column in columns))


def propose(scores: Floats, names: tuple[str, ...], candidates: Bools, count: int = PROPOSED) -> Int64s:
    """The best items of each proposer in turn, until there are enough."""
    rows = scores[[names.index(name) for name in (*PROPOSERS, "tower") if name in names]]
    rows = np.where(candidates, rows, -np.inf)
    count = min(count, int(candidates.sum()))
    depth = min(count, rows.shape[1])
    best = np.argpartition(-rows, depth - 1, axis=1)[:, :depth]
    best = np.take_along_axis(best, np.argsort(-np.take_along_axis(rows, best, 1), axis=1, kind="stable"), 1)
    in_turn = best.T.ravel()
    in_turn = in_turn[candidates[in_turn]]
    _, first = np.unique(in_turn, return_index=True)
    return in_turn[np.sort(first)][:count]


def collect(reader: Reader, requests: Requests, index: Int64s, history: int, *, with_targets: bool) -> Proposals:
    """Proposals of some requests, which come in order of time; for training the targets join them."""
    known = reader.known
    towers = reader.towers.ask(requests, index)
    shape = (len(index), PROPOSED)
    items, created = np.full(shape, -1, dtype=np.int64), np.zeros(shape)
    signals = np.zeros((*shape, len(reader.names)), dtype=np.float32)
    is_target = np.zeros(shape, dtype=bool)
    for row, request in enumerate(index.tolist()):
        found = reader.read(requests, request, towers[row])
        candidates = known.candidates(known.history(request, requests), int(requests.known[request]))
        chosen = propose(found, reader.names, candidates)
        targets = requests.targets[request]
        if with_targets:
            missing = np.setdiff1d(targets[candidates[targets]], chosen)[: PROPOSED // 2]
            chosen = np.concatenate([missing, chosen])[:PROPOSED]
        items[row, : len(chosen)] = chosen
        signals[row, : len(chosen)] = found[:, chosen].T
        created[row, : len(chosen)] = reader.signals.counts.first[chosen]
        is_target[row, : len(chosen)] = np.isin(chosen, targets)
    rows = recent_histories(known, requests, index, history)
    created[~np.isfinite(created)] = 0
    return Proposals(requests.users[index], requests.at[index], rows, items, created, signals, is_target)


def training_proposals(reader: Reader, requests: Requests, history: int, rng: np.random.Generator) -> Proposals:
    """Proposals with at least one target, of at most MAX_EXAMPLES requests drawn at random."""
    order = np.array(list(in_order(requests)))
    if len(order) > MAX_EXAMPLES:
        order = order[np.sort(rng.choice(len(order), MAX_EXAMPLES, replace=False))]
    blocks = [order[start : start + BLOCK] for start in range(0, len(order), BLOCK)]
    found = Proposals.joined([collect(reader, requests, block, history, with_targets=True) for block in blocks])
    return found.take(np.flatnonzero(found.is_target.any(axis=1)))

"""Requests as the ranker reads them: who asks, what is proposed, and the signals of the proposals.

The ranker learns from interactions later than everything its signals were made of, asked as the protocol
asks, so that it trusts what holds for the unseen.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from ranking.benchmarking.baselines import Ease, Model
from ranking.benchmarking.interactions import Float64s, Interactions
from ranking.benchmarking.known import Known, in_order, renewals
from ranking.benchmarking.measures import MISSED, Array, figures, target_ranks
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

PROPOSED = 400
BLOCK = 128
PACE = 32  # requests that tell how long one takes
LARGEST = 8.0  # standard deviations
# Of each sequence, what the ranker may learn from in leave-last-out: a share, and at most so many.
HELD_SHARE, HELD_MOST = 5, 6
TIME_CUTS = (0.4, 0.5, 0.6, 0.7)
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
    """Signals of one request after another; in live evaluation what they are made of is renewed on the way.

    The `others` are fitted models whose scores are signals and propose, too.
    """

    def __init__(
        self,
        known: Known,
        towers: Towers,
        requests: Requests,
        others: Mapping[str, Callable[[Known], Model]],
        *,
        seconds: float,
    ) -> None:
        self.known, self.towers, self.makers = known, towers, others
        started = time.monotonic()
        self._fit(known)
        self._due = renewals(known, requests, once=time.monotonic() - started, allowed=seconds)

    def _fit(self, known: Known) -> None:
        self.others = {name: make(known) for name, make in self.makers.items()}
        near = self.others.get("ease_recency")
        self.signals = Signals(known, near.weights if isinstance(near, Ease) else None)

    @property
    def names(self) -> tuple[str, ...]:
        return (*self.signals.names, *self.makers, "tower")

    def read(self, requests: Requests, request: int, tower: Floats) -> Floats:
        """[signals, N], given the towers' scores [N]."""
        while self._due and requests.known[request] >= self._due[0]:
            self._fit(self.known.until(self._due.pop(0)))
        found = self.signals.of(requests, request)
        others = [np.asarray(model.scores(requests, request), dtype=np.float32) for model in self.others.values()]
        return np.stack([*found, *others, tower])


@dataclass(frozen=True)
class Proposals:
    """R requests with K items each; -1 marks padding. Signals have mean 0 and deviation 1 over each request's items."""

    users: Int64s  # [R]
    at: Float64s  # [R]
    history: Int64s  # [R, S] rows of the table
    items: Int64s  # [R, K]
    created: Float64s  # [R, K] when the item was first met
    signals: Floats  # [R, K, F]
    is_target: Bools  # [R, K]
    targets: Int64s  # [R] how many there are

    def __len__(self) -> int:
        return len(self.users)

    def take(self, index: Int64s) -> Proposals:
        return Proposals(*(column[index] for column in vars(self).values()))

    @classmethod
    def joined(cls, parts: list[Proposals]) -> Proposals:
        columns = zip(*(vars(part).values() for part in parts), strict=True)
        return cls(*(np.concatenate(column) for column in columns))


def judged(scores: Floats, proposals: Proposals) -> Array:
    """NDCG@10 [R] of what was proposed; every other target is missed."""
    ranks = []
    for row, items, is_target, count in zip(
        scores, proposals.items, proposals.is_target, proposals.targets.tolist(), strict=True
    ):
        got = target_ranks(row, np.flatnonzero(is_target), items >= 0)
        ranks.append(np.concatenate([got, np.full(count - len(got), MISSED)]))
    return figures(ranks).per_request


def standardised(signals: Floats, is_item: Bools) -> Floats:
    """Signals [R, K, F] less their mean over the items of the request, in standard deviations; 0 for padding.

    Only differences inside a request order its items, and in this unit they mean the same at another time.
    """
    weights = is_item[..., None] / np.maximum(is_item.sum(axis=1), 1)[:, None, None]
    centred = signals - (signals * weights).sum(axis=1, keepdims=True)
    spread = np.sqrt((centred**2 * weights).sum(axis=1, keepdims=True))
    return (np.clip(centred / (spread + 1e-9), -LARGEST, LARGEST) * is_item[..., None]).astype(np.float32)


def propose(scores: Floats, names: tuple[str, ...], candidates: Bools, count: int = PROPOSED) -> Int64s:
    """The best items of each proposer in turn, until there are enough."""
    rows = scores[[place for place, name in enumerate(names) if name in PROPOSERS]]
    rows = np.where(candidates, rows, -np.inf)
    count = min(count, int(candidates.sum()))
    depth = min(count, rows.shape[1])
    best = np.argpartition(-rows, depth - 1, axis=1)[:, :depth]
    best = np.take_along_axis(best, np.argsort(-np.take_along_axis(rows, best, 1), axis=1, kind="stable"), 1)
    in_turn = best.T.ravel()
    in_turn = in_turn[candidates[in_turn]]
    _, first = np.unique(in_turn, return_index=True)
    return in_turn[np.sort(first)][:count]


def collect(reader: Reader, requests: Requests, index: Int64s, history: int) -> Proposals:
    """Proposals of some requests, which come in order of time."""
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
        items[row, : len(chosen)] = chosen
        signals[row, : len(chosen)] = found[:, chosen].T
        created[row, : len(chosen)] = reader.signals.counts.first[chosen]
        is_target[row, : len(chosen)] = np.isin(chosen, requests.targets[request])
    rows = recent_histories(known, requests, index, history)
    created[~np.isfinite(created)] = 0
    targets = np.array([len(requests.targets[request]) for request in index.tolist()])
    signals = standardised(signals, items >= 0)
    return Proposals(requests.users[index], requests.at[index], rows, items, created, signals, is_target, targets)


def collected_within(seconds: float, reader: Reader, requests: Requests, history: int) -> Proposals:
    """Proposals of as many requests, evenly over all, as the seconds allow; at least a few."""
    order = np.array(list(in_order(requests)))
    started = time.monotonic()
    parts = [collect(reader, requests, order[:PACE], history)]
    each = (time.monotonic() - started) / len(parts[0])
    rest = order[PACE:]
    rest = rest[spread(len(rest), int(seconds / each))]
    parts += [collect(reader, requests, rest[at : at + BLOCK], history) for at in range(0, len(rest), BLOCK)]
    return Proposals.joined(parts)


def spread(size: int, most: int) -> Int64s:
    """At most so many indices, evenly over all."""
    return np.unique(np.linspace(0, size - 1, min(size, most)).astype(np.int64))

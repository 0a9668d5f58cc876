"""What is asked of a model: requests with the history known at each, and what came after.

loo   the last interaction of each user is the test, the last but one the validation
time  80 / 10 / 10 % of all interactions in order; users and targets known before the cut
live  the same cut, but each interaction is a request that knows everything strictly earlier
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ranking.benchmarking.interactions import Float64s, Interactions
from ranking.types import Bools, Int64s
from xsocial.kernel.errors import Invalid

PROTOCOLS = ("loo", "time", "live")
VALIDATION, TEST = 0.8, 0.9


@dataclass(frozen=True)
class Requests:
    """R questions: which items come next for a user?

    The history of a request is the first `lengths` interactions of its user. `known` is how many
    interactions of the table had happened (live only; otherwise what was fitted is all there is).
    """

    users: Int64s  # [R]
    at: Float64s  # [R]
    lengths: Int64s  # [R]
    known: Int64s  # [R]
    targets: tuple[Int64s, ...]  # item indices

    def __len__(self) -> int:
        return len(self.users)

    def take(self, index: Int64s) -> Requests:
        columns = (self.users[index], self.at[index], self.lengths[index], self.known[index])
        return Requests(*columns, tuple(self.targets[i] for i in index.tolist()))


@dataclass(frozen=True)
class Split:
    """What a model may be fitted on, and what it is then asked."""

    fit: Bools  # [interactions]
    requests: Requests
    is_live: bool = False


@dataclass(frozen=True)
class Histories:
    """The interactions of each user in order: rows starts[u] .. starts[u + 1] of `order`."""

    table: Interactions
    order: Int64s
    starts: Int64s

    @classmethod
    def of(cls, table: Interactions) -> Histories:
        order = np.argsort(table.users, kind="stable")
        counts = np.bincount(table.users, minlength=table.num_users)
        return cls(table, order, np.concatenate([[0], np.cumsum(counts)]))

    @property
    def counts(self) -> Int64s:
        return np.diff(self.starts)

    def rows(self, user: int, length: int) -> Int64s:
        """The first `length` interactions of a user, oldest first."""
        start = self.starts[user]
        return self.order[start : start + length]

    def places(self) -> Int64s:
        """Place of each interaction in the sequence of its user, from 0."""
        out = np.empty(len(self.table), dtype=np.int64)
        out[self.order] = np.arange(len(self.order)) - np.repeat(self.starts[:-1], self.counts)
        return out


def split(table: Interactions, protocol: str, stage: str) -> Split:
    """The split for `stage` "validation" or "test"; raises Invalid when the table is too small for it."""
    found = _leave_out(table, stage) if protocol == "loo" else _global(table, stage, is_live=protocol == "live")
    if not len(found.requests) or not found.fit.any():
        raise Invalid(f"The table is too small for the {stage} of protocol {protocol}.")
    return found


def _leave_out(table: Interactions, stage: str) -> Split:
    """The last interaction of each user, or for the validation the last but one."""
    histories = Histories.of(table)
    from_end = histories.counts[table.users] - 1 - histories.places()
    wanted = 0 if stage == "test" else 1
    chosen = np.flatnonzero(from_end == wanted)
    return Split(from_end > wanted, single_requests(histories, chosen))


def single_requests(histories: Histories, chosen: Int64s) -> Requests:
    """Each chosen interaction as the one target of a request made at its time."""
    table = histories.table
    targets = tuple(table.items[chosen][:, None])
    return Requests(table.users[chosen], table.at[chosen], histories.places()[chosen], chosen, targets)


def _global(table: Interactions, stage: str, *, is_live: bool) -> Split:
    share, end = (TEST, 1.0) if stage == "test" else (VALIDATION, TEST)
    return window_split(table, int(len(table) * share), int(len(table) * end), is_live=is_live)


def window_split(table: Interactions, cut: int, stop: int, *, is_live: bool) -> Split:
    """Fit before row `cut`; the interactions up to row `stop` are asked for."""
    fit = np.arange(len(table)) < cut
    histories = Histories.of(table)
    if is_live:
        return Split(fit, single_requests(histories, np.arange(cut, stop)), is_live=True)
    lengths = np.bincount(table.users[:cut], minlength=table.num_users)
    is_known_item = np.bincount(table.items[:cut], minlength=table.num_items) > 0
    rows = np.arange(cut, stop)
    rows = rows[(lengths[table.users[rows]] > 0) & is_known_item[table.items[rows]]]
    users = np.unique(table.users[rows])
    targets = tuple(table.items[rows[table.users[rows] == user]] for user in users.tolist())
    at = np.full(len(users), table.at[cut])
    return Split(fit, Requests(users, at, lengths[users], np.full(len(users), cut), targets))

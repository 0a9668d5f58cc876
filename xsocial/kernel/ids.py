"""Time-ordered 64-bit ids, laid out as Twitter's snowflake: age is read from the id itself.

    1 bit 0 | 41 bits milliseconds since EPOCH_MS | 10 bits worker | 12 bits sequence

One process gives strictly rising ids, also over threads and when the clock steps back. Two
processes stay apart by the worker number, which each takes from its process id unless told.
"""

import os
import threading
from datetime import datetime
from typing import overload

import numpy as np
import numpy.typing as npt

from xsocial.kernel import clock

EPOCH_MS = 1_288_834_974_657  # 2010-11-04T01:42:54.657Z, the epoch of the published system
WORKER_BITS = 10
SEQUENCE_BITS = 12
TIMESTAMP_SHIFT = WORKER_BITS + SEQUENCE_BITS
MAX_WORKER = (1 << WORKER_BITS) - 1
MAX_SEQUENCE = (1 << SEQUENCE_BITS) - 1
MAX_ID = (1 << 63) - 1

Int64s = npt.NDArray[np.int64]


class Generator:
    """Gives the ids of one worker. Safe to share among threads."""

    def __init__(self, worker: int) -> None:
        if not 0 <= worker <= MAX_WORKER:
            raise ValueError(f"worker must be 0 to {MAX_WORKER}, not {worker}")
        self.worker = worker
        self._lock = threading.Lock()
        self._last_ms = -1
        self._sequence = 0

    def next_id(self) -> int:
        """The next id. Rising, except after `clock.fixed` went to an earlier time."""
        with self._lock:
            self._advance(clock.now_ms())
            return compose(ms=self._last_ms, worker=self.worker, sequence=self._sequence)

    def _advance(self, ms: int) -> None:
        """Step the sequence, and move to `ms` or, when a millisecond is used up, to the next one.

        The sequence goes round instead of starting at 0 in each millisecond, so that coming back
        to a fixed moment gives fresh ids. Ids run ahead of a clock that steps back a little;
        going back by more than a second is a replay at another time, and is followed.
        """
        self._sequence = (self._sequence + 1) & MAX_SEQUENCE
        is_replay = ms < self._last_ms - 1000
        if ms > self._last_ms or is_replay:
            self._last_ms = ms
        elif self._sequence == 0:
            self._last_ms += 1


def compose(*, ms: int, worker: int = 0, sequence: int = 0) -> int:
    """The id of a millisecond since 1970, a worker and a sequence number."""
    if ms < EPOCH_MS:
        raise ValueError(f"no ids before {EPOCH_MS} ms")
    return (ms - EPOCH_MS) << TIMESTAMP_SHIFT | worker << SEQUENCE_BITS | sequence


def id_at(ms: int, sequence: int = 0) -> int:
    """The id for a millisecond; `sequence` fills all 22 low bits, so 4 million fit in each.

    With sequence 0 it is the smallest id of that millisecond: a bound for range queries.
    """
    if not 0 <= sequence < 1 << TIMESTAMP_SHIFT:
        raise ValueError(f"sequence must be 0 to {(1 << TIMESTAMP_SHIFT) - 1}, not {sequence}")
    return compose(ms=ms) | sequence


@overload
def timestamp_ms(ids: int) -> int: ...
@overload
def timestamp_ms(ids: Int64s) -> Int64s: ...
def timestamp_ms(ids: int | Int64s) -> int | Int64s:
    """Milliseconds since 1970 at which an id, or each id of an array, was made."""
    return (ids >> TIMESTAMP_SHIFT) + EPOCH_MS


def parsed(text: str) -> int | None:
    """The number that plain digits name; None for other text and for more than a column of ids holds.

    Looks at the length first: Python refuses to read thousands of digits with an error of its own.
    """
    is_number = len(text) <= len(str(MAX_ID)) and text.isascii() and text.isdigit()
    return int(text) if is_number and int(text) <= MAX_ID else None


def datetime_of(id_: int) -> datetime:
    """The moment an id was made, aware, UTC."""
    return clock.from_ms(timestamp_ms(id_))


_default = Generator(os.getpid() & MAX_WORKER)


def _after_fork() -> None:
    """A forked child must not share its parent's worker number."""
    global _default
    _default = Generator(os.getpid() & MAX_WORKER)


os.register_at_fork(after_in_child=_after_fork)


def use_worker(worker: int) -> None:
    """Take an assigned worker number, where processes on several machines give ids."""
    global _default
    _default = Generator(worker)


def next_id() -> int:
    """A new id of this process."""
    return _default.next_id()

"""Asks models: every request of a split, with the models refitted now and then in live evaluation."""

from __future__ import annotations

import resource
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ranking.benchmarking.known import Known, in_order
from ranking.benchmarking.measures import Array, target_ranks
from ranking.benchmarking.protocols import Requests
from ranking.types import Int64s

BLOCK = 128

# Scores [N] of each of the requests with the given indices, which come in order of time.
Ask = Callable[[Requests, Int64s], Iterable[Array]]


def ranks_of(known: Known, requests: Requests, ask: Ask) -> list[Int64s]:
    """Ranks of the targets of every request."""
    order = np.array(list(in_order(requests)), dtype=np.int64)
    ranks: list[Int64s] = [np.zeros(0, dtype=np.int64)] * len(requests)
    for start in range(0, len(order), BLOCK):
        index = order[start : start + BLOCK]
        for request, scores in zip(index.tolist(), ask(requests, index), strict=True):
            history = known.history(request, requests)
            candidates = known.candidates(history, int(requests.known[request]))
            ranks[request] = target_ranks(scores, requests.targets[request], candidates)
    return ranks


@dataclass
class Cost:
    """Seconds and the highest resident memory (MiB) of a piece of work."""

    seconds: float = 0.0
    peak_mib: float = 0.0


@contextmanager
def measured() -> Iterator[Cost]:
    """Times the block and watches the peak of the process's memory, which starts anew where Linux allows."""
    try:
        Path("/proc/self/clear_refs").write_text("5")
    except OSError:
        pass  # then the peak is that of the process so far
    cost, started = Cost(), time.monotonic()
    yield cost
    cost.seconds = time.monotonic() - started
    cost.peak_mib = _peak_mib()


def _peak_mib() -> float:
    status = Path("/proc/self/status")
    if not status.is_file():
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    peak = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM:"))
    return int(peak.split()[1]) / 1024

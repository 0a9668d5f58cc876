"""Measurements behind the bench commands: percentiles, and a baseline timed in the same run."""

from __future__ import annotations

import json
import statistics
import time
from collections.abc import Callable, Mapping, Sequence


def percentiles(samples_ms: Sequence[float]) -> dict[str, float]:
    """p50, p95 and p99 of samples in milliseconds."""
    ordered = sorted(samples_ms)
    at = lambda share: ordered[min(len(ordered) - 1, int(share * len(ordered)))]  # noqa: E731
    return {
        "p50_ms": round(statistics.median(ordered), 3),
        "p95_ms": round(at(0.95), 3),
        "p99_ms": round(at(0.99), 3),
    }


def timed(call: Callable[[int], object], rounds: int, *, cpu: bool = False) -> list[float]:
    """Milliseconds of each of ``rounds`` calls, wall time or the calling thread's CPU time."""
    clock = time.thread_time if cpu else time.perf_counter
    samples = []
    for number in range(rounds):
        started = clock()
        call(number)
        samples.append((clock() - started) * 1000)
    return samples


def table(cases: Mapping[str, Mapping[str, object]], *, as_json: bool) -> str:
    """The cases as JSON or as aligned lines."""
    if as_json:
        return json.dumps(cases, indent=2)
    width = max(len(name) for name in cases)
    return "\n".join(
        f"{name:<{width}}  " + "  ".join(f"{key} {value}" for key, value in figures.items())
        for name, figures in cases.items()
    )

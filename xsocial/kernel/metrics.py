"""Prometheus metrics by name. Asking twice for a name gives the same metric.

metrics.counter("feed_stage_failures", "Stages that failed", ("stage",)).labels("thunder").inc()
"""

import threading
from collections.abc import Sequence
from typing import Any, TypeVar

from prometheus_client import Counter, Gauge, Histogram

PREFIX = "xsocial_"
# Seconds: from a memory lookup to a slow page.
SECONDS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)

M = TypeVar("M", Counter, Gauge, Histogram)
_metrics: dict[str, Counter | Gauge | Histogram] = {}
_lock = threading.Lock()


def _named(kind: type[M], name: str, description: str, labels: Sequence[str], **options: Any) -> M:
    with _lock:
        metric = _metrics.get(name)
        if metric is None:
            metric = _metrics[name] = kind(PREFIX + name, description or name, tuple(labels), **options)
    if not isinstance(metric, kind):
        raise TypeError(f"metric {name} is a {type(metric).__name__}, not a {kind.__name__}")
    return metric


def counter(name: str, description: str = "", labels: Sequence[str] = ()) -> Counter:
    """A count that only rises."""
    return _named(Counter, name, description, labels)


def gauge(name: str, description: str = "", labels: Sequence[str] = ()) -> Gauge:
    """A value that rises and falls."""
    return _named(Gauge, name, description, labels)


def histogram(
    name: str, description: str = "", labels: Sequence[str] = (), *, buckets: Sequence[float] = SECONDS
) -> Histogram:
    """A distribution, in seconds unless other buckets are given. `.time()` measures a block."""
    return _named(Histogram, name, description, labels, buckets=buckets)

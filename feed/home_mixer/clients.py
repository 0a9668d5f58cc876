"""What the pipelines run on in this process: threads, time limits, metrics. Built once."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

from django.conf import settings
from django.db import close_old_connections, connection
from prometheus_client import Counter, Histogram

from feed.candidate_pipeline import Background, Budgets, Immediate, Inline, StageReport, Threads
from feed.home_mixer.params import Params
from xsocial.kernel import metrics

STAGE_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)

PATIENT_MS = 120_000
# About what a page needs from its last stage to its last byte.
HEAD_START_S = 0.15
TRUSTED_S = 5.0

_kept = threading.local()


@dataclass(frozen=True)
class Clients:
    """Workers for the stages and for what follows the response."""

    workers: Any
    background: Any
    budgets: Budgets

    def runtime(self) -> dict[str, Any]:
        """The pipeline's arguments that are about running, not about order."""
        return {
            "workers": self.workers,
            "background": self.background,
            "budgets": self.budgets,
            "observer": observe,
        }


@cache
def shared() -> Clients:
    """The clients of this process. ``FEED_POOL_SIZE`` 0 runs everything in the calling thread."""
    size = getattr(settings, "FEED_POOL_SIZE", 8)
    if not size:
        return Clients(Inline(), Immediate(), budgets())
    return Clients(
        Threads(size, around=with_kept_connection),
        Background(2, head_start_s=HEAD_START_S, around=with_kept_connection),
        budgets(),
    )


@cache
def patient() -> Clients:
    """For commands: one thread, side effects at once, and time for a cold start."""
    return Clients(Inline(), Immediate(), Budgets(request_ms=PATIENT_MS, stage_ms={}))


def budgets() -> Budgets:
    """Time limits by stage, from the parameters' defaults."""
    limits = Params()
    return Budgets(
        request_ms=limits.request_ms,
        stage_ms={
            "query_hydrators": limits.query_hydrator_ms,
            "dependent_query_hydrators": limits.query_hydrator_ms,
            "sources": limits.source_ms,
            "hydrators": limits.hydrator_ms,
            "scorers": limits.scorer_ms,
            "post_selection_hydrators": limits.hydrator_ms,
        },
    )


def with_connection(call: Callable[[], Any]) -> Any:
    """Run a task in a thread that ends with it, and leave no database connection behind."""
    close_old_connections()
    try:
        return call()
    finally:
        connection.close()


def with_kept_connection(call: Callable[[], Any]) -> Any:
    """Run a task in a thread of a pool, which keeps its connection.

    Whether it is sound is asked after an error and every few seconds: asking is a round trip, and a
    page has a dozen lanes.
    """
    now = time.monotonic()
    if connection.errors_occurred or now - getattr(_kept, "looked_at", -math.inf) > TRUSTED_S:
        close_old_connections()
        _kept.looked_at = now
    return call()


def observe(pipeline: str, report: StageReport) -> None:
    """One stage's figures as metrics."""
    _seconds(pipeline, report.stage).observe(report.ms / 1000)
    is_filtering = report.stage.endswith("filters")
    for part in report.components:
        _runs(part.name, part.state).inc()
        if part.size and is_filtering:
            _removed(part.name).inc(part.size)


@cache
def _seconds(pipeline: str, stage: str) -> Histogram:
    seconds = metrics.histogram("feed_stage_seconds", "Time per stage", ("pipeline", "stage"), buckets=STAGE_SECONDS)
    return seconds.labels(pipeline, stage)


@cache
def _runs(component: str, state: str) -> Counter:
    return metrics.counter("feed_component_runs", "Component runs by outcome", ("component", "state")).labels(
        component, state
    )


@cache
def _removed(component: str) -> Counter:
    return metrics.counter("feed_removed", "Candidates removed by filter", ("filter",)).labels(component)

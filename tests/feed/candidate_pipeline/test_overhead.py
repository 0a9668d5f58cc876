"""What the framework itself costs."""

import statistics
import time

import numpy as np

from feed.candidate_pipeline import Batch, Threads

from .components import (
    SCHEMA,
    FilterPart,
    HydratorPart,
    Query,
    QueryPart,
    ScorerPart,
    SourcePart,
    TopScore,
    pipeline,
)


def test_overhead_stays_small_at_1500_candidates():
    """No-op components in every place: CPU time of the calling thread, which is what we add."""
    rows = np.arange(1500)
    made = pipeline(
        workers=Threads(16),
        query_hydrators=tuple(QueryPart(f"Q{k}", lambda q: {}) for k in range(12)),
        sources=tuple(SourcePart(f"S{k}", lambda q: Batch.of(SCHEMA, id=rows[:500])) for k in range(3)),
        hydrators=tuple(HydratorPart(f"H{k}", lambda q, b: {"a": np.zeros(b.n)}) for k in range(10)),
        filters=tuple(FilterPart(f"F{k}", lambda q, b: np.ones(b.n, bool)) for k in range(14)),
        scorers=tuple(ScorerPart(f"Sc{k}", lambda q, b: {"score": b["id"] * 1.0}) for k in range(3)),
        selector=TopScore(50),
    )
    made.execute(Query())
    spent = []
    for _ in range(30):
        started = time.thread_time()
        made.execute(Query())
        spent.append((time.thread_time() - started) * 1000)
    assert statistics.median(spent) < 3.0

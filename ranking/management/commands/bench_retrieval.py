"""manage.py bench_retrieval: exact search of the window in memory."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

import numpy as np

from ranking.management.base import PhoenixCommand, table
from ranking.models import VECTOR_DIMENSIONS
from ranking.phoenix.benchmark import measure
from ranking.retrieval.window import RetrievalWindow
from xsocial.kernel.arguments import whole


class Command(PhoenixCommand):
    help = "Median and tail of a top-k search over a window of random unit vectors."
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--posts", type=whole(), default=100_000)
        parser.add_argument("--top-k", type=whole(), default=1000)
        parser.add_argument("--exclude", type=whole(0), default=500, help="posts seen already")
        parser.add_argument("--repeats", type=whole(), default=50)
        parser.add_argument("--json", action="store_true")

    def handle(self, *, json: bool, **options: Any) -> None:
        figures = _figures(options)
        if json:
            self.print_json(figures)
            return
        rows = [("case", "p50 ms", "p95 ms", "p99 ms")]
        rows += [(name, *(f"{value:.2f}" for value in case.values())) for name, case in figures.items()]
        self.stdout.write(table(rows))


def _figures(options: dict[str, Any]) -> dict[str, Any]:
    rng = np.random.default_rng(0)
    count, k = options["posts"], options["top_k"]
    vectors = rng.normal(size=(count, VECTOR_DIMENSIONS)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    ids = np.arange(1, count + 1)
    window = RetrievalWindow(VECTOR_DIMENSIONS)
    window.put(ids, ids, vectors)
    seen = rng.choice(ids, min(options["exclude"], count), replace=False)
    cases = {
        "window": {"newer_than_ms": 0, "exclude_ids": ids[:0]},
        "window_with_seen": {"newer_than_ms": count // 10, "exclude_ids": seen},
    }
    out = {}
    for name, case in cases.items():
        timing = measure(
            lambda case=case: window.search(vectors[rng.integers(count)], k=k, **case),
            repeats=options["repeats"],
        )
        out[name] = {
            "p50_ms": timing.p50_ms,
            "p95_ms": timing.p95_ms,
            "p99_ms": float(np.percentile(timing.samples_ms, 99)),
        }
    return out

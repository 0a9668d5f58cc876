"""manage.py bench_phoenix: the published computation, the exact path and the fast path, in one run."""

from __future__ import annotations

import resource
from argparse import ArgumentParser
from typing import Any

import torch

from ranking.management.base import PhoenixCommand, table, use_threads
from ranking.phoenix import benchmark, precision
from ranking.phoenix.inference import RankerRuntime, num_workers
from xsocial.kernel.arguments import whole

LEGEND = (
    "exact, fast: as served, projections of posts stored, context new; "
    "cold: nothing stored; warm: context cached as well"
)


class Command(PhoenixCommand):
    help = "Ranks one request by the published computation, exactly and fast, on the same random weights."
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--candidates", type=whole(), default=1500)
        parser.add_argument("--emb-size", type=whole(), default=128)
        parser.add_argument("--layers", type=whole(), default=4)
        parser.add_argument("--history", type=whole(), default=127)
        parser.add_argument("--repeats", type=whole(), default=15)
        parser.add_argument("--json", action="store_true")

    def handle(self, *, json: bool, **options: Any) -> None:
        use_threads(None)
        figures = _figures(options)
        if json:
            self.print_json(figures)
        else:
            self.stdout.write(_text(figures))


def _figures(options: dict[str, Any]) -> dict[str, Any]:
    count, repeats = options["candidates"], options["repeats"]
    config = benchmark.upstream_config(
        emb_size=options["emb_size"], num_layers=options["layers"], history=options["history"]
    )
    drawn = benchmark.subject(config, num_candidates=count)
    slots = config.candidate_seq_len
    exact = RankerRuntime(drawn.model, drawn.tables, slot_chunk=slots)
    fast = RankerRuntime(drawn.model, drawn.tables, slot_chunk=slots, dtype=torch.bfloat16)
    slow = benchmark.measure(lambda: benchmark.rank_slowly(drawn), repeats=max(repeats // 3, 3))
    figures = {"reference": _figure(slow, count)}
    for path, run in {**benchmark.paths(drawn, exact, "exact"), **benchmark.paths(drawn, fast, "fast")}.items():
        timing = benchmark.measure(run.run, repeats=repeats)
        figures[path] = {
            **_figure(timing, count),
            "ratio": slow.p50_ms / timing.p50_ms,
            "gflop_per_s": run.flop / timing.p50_ms / 1e6,
        }
    outputs = [runtime.rank(runtime.encode(drawn.context), drawn.candidates) for runtime in (exact, fast)]
    for name, pair in {"exact": (benchmark.rank_slowly(drawn), outputs[0]), "fast": outputs}.items():
        agreed = precision.agreement(drawn.model, *pair)
        figures[name] |= {
            "max_probability_difference": agreed.probability_difference,
            "rank_correlation": agreed.rank_correlation,
        }
    figures["machine"] = {
        "threads": num_workers(),
        "peak_gflop_per_s_float32": benchmark.matmul_peak(),
        "peak_gflop_per_s_bfloat16": benchmark.matmul_peak(torch.bfloat16),
        "peak_memory_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }
    return figures


def _figure(timing: benchmark.Timing, count: int) -> dict[str, float]:
    return {
        "p50_ms": timing.p50_ms,
        "p95_ms": timing.p95_ms,
        "min_ms": min(timing.samples_ms),
        "candidates_per_s": 1000 * count / timing.p50_ms,
    }


COLUMNS = {
    "p50 ms": ("p50_ms", ".1f"),
    "p95 ms": ("p95_ms", ".1f"),
    "min ms": ("min_ms", ".1f"),
    "x reference": ("ratio", ".2f"),
    "candidates/s": ("candidates_per_s", ".0f"),
    "GFLOP/s": ("gflop_per_s", ".0f"),
}


def _text(figures: dict[str, Any]) -> str:
    rows = [("path", *COLUMNS)]
    for name, value in figures.items():
        if name != "machine":
            rows.append((name, *(format(value[key], spec) if key in value else "" for key, spec in COLUMNS.values())))
    machine = ", ".join(f"{name} {value:.0f}" for name, value in figures["machine"].items())
    agreements = "\n".join(
        f"{name} differs from {other} by at most {figures[name]['max_probability_difference']:.1e} in probability, "
        f"rank correlation {figures[name]['rank_correlation']:.5f}"
        for name, other in (("exact", "reference"), ("fast", "exact"))
    )
    return f"{table(rows)}\n{LEGEND}\n{agreements}\n{machine}"

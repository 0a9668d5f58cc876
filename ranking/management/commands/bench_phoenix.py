"""manage.py bench_phoenix: the published computation, the exact path and the fast path, in one run."""

from __future__ import annotations

import resource
from argparse import ArgumentParser
from typing import Any

import torch

from ranking.management.base import PhoenixCommand, table, use_threads
from ranking.phoenix import benchmark
from ranking.phoenix.inference import RankerRuntime


class Command(PhoenixCommand):
    help = "Ranks one request three ways on the same random weights."
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--candidates", type=int, default=1500)
        parser.add_argument("--emb-size", type=int, default=128)
        parser.add_argument("--layers", type=int, default=4)
        parser.add_argument("--history", type=int, default=127)
        parser.add_argument("--repeats", type=int, default=15)
        parser.add_argument("--threads", type=int)
        parser.add_argument("--json", action="store_true")

    def handle(self, *, json: bool, **options: Any) -> None:
        use_threads(options["threads"])
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
    exact = RankerRuntime(drawn.model, drawn.tables, slot_chunk=config.candidate_seq_len)
    fast = RankerRuntime(drawn.model, drawn.tables, slot_chunk=config.candidate_seq_len, dtype=torch.bfloat16)
    context = exact.encode(drawn.context)
    timings = {
        "reference": benchmark.measure(lambda: benchmark.rank_slowly(drawn), repeats=max(repeats // 3, 3)),
        "exact": benchmark.measure(lambda: benchmark.rank_once(exact, drawn), repeats=repeats),
        "exact_cached_context": benchmark.measure(lambda: exact.rank(context, drawn.candidates), repeats=repeats),
        "fast": benchmark.measure(lambda: benchmark.rank_once(fast, drawn), repeats=repeats),
    }
    slow = timings["reference"].p50_ms
    figures: dict[str, Any] = {
        name: {
            "p50_ms": timing.p50_ms,
            "p95_ms": timing.p95_ms,
            "ratio": slow / timing.p50_ms,
            "candidates_per_s": 1000 * count / timing.p50_ms,
        }
        for name, timing in timings.items()
    }
    agreement = fast.rank(fast.encode(drawn.context), drawn.candidates).logits.sigmoid()
    exact_out = exact.rank(context, drawn.candidates).logits.sigmoid()
    figures["fast"]["max_probability_difference"] = float((agreement - exact_out).abs().max())
    figures["exact"]["gflop_per_s"] = benchmark.cached_flop(config, count) / figures["exact"]["p50_ms"] / 1e6
    figures["machine"] = {
        "threads": torch.get_num_threads(),
        "peak_gflop_per_s_float32": benchmark.matmul_peak(),
        "peak_gflop_per_s_bfloat16": benchmark.matmul_peak(torch.bfloat16),
        "peak_memory_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }
    return figures


def _text(figures: dict[str, Any]) -> str:
    rows = [("path", "p50 ms", "p95 ms", "x reference", "candidates/s")]
    for name, value in figures.items():
        if name != "machine":
            keys = (("p50_ms", ".1f"), ("p95_ms", ".1f"), ("ratio", ".2f"), ("candidates_per_s", ".0f"))
            rows.append((name, *(format(value[key], spec) for key, spec in keys)))
    machine = ", ".join(f"{name} {value:.0f}" for name, value in figures["machine"].items())
    difference = figures["fast"]["max_probability_difference"]
    return f"{table(rows)}\nfast differs from exact by at most {difference:.4f} in probability\n{machine}"

"""manage.py phoenix_benchmark: our models and every baseline on a table of interactions, in one run."""

from __future__ import annotations

import json as json_format
import math
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from ranking.benchmarking.interactions import load
from ranking.benchmarking.protocols import PROTOCOLS
from ranking.benchmarking.run import Benchmark, Row
from ranking.management.base import PhoenixCommand, table, use_threads
from xsocial.kernel.arguments import number, seed, whole
from xsocial.kernel.errors import Invalid

COLUMNS = ("model", "NDCG@10 (SE)", "R@10", "R@50", "MRR@10", "val", "fit s", "tuning s", "peak MiB", "chosen")


class Command(PhoenixCommand):
    help = "NDCG@10, Recall, MRR, time and memory beside all baselines, with a paired bootstrap."
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--interactions", type=Path, required=True, help="user, item[, rating], timestamp a line")
        parser.add_argument("--protocol", choices=PROTOCOLS, default="loo")
        parser.add_argument("--core", type=whole(), default=5, help="fewest interactions of a user and of an item")
        parser.add_argument("--min-rating", type=number(-math.inf), help="drop interactions rated lower")
        parser.add_argument("--seed", type=seed, default=0)
        parser.add_argument("--max-minutes", type=number(0.001), default=15.0, help="bounds tuning and training")
        parser.add_argument("--threads", type=whole())
        parser.add_argument("--out", type=Path, help="write the figures and those of each user to this file")
        parser.add_argument("--json", action="store_true")

    def handle(self, *, interactions: Path, protocol: str, core: int, min_rating: float | None, **options: Any) -> None:
        if options["out"]:
            _require_writable(options["out"])
        use_threads(options["threads"])
        found = load(interactions, core=core, min_rating=min_rating)
        is_quiet = options["json"] or options["verbosity"] == 0
        benchmark = Benchmark(found, protocol, seed=options["seed"], minutes=options["max_minutes"])
        if not is_quiet:
            self.stdout.write(
                f"{protocol}: {found.num_users} users, {found.num_items} items, {len(found)} interactions, "
                f"{len(benchmark.test.requests)} requests, {found.skipped} rows skipped"
            )
        for row in benchmark.run(quiet=is_quiet):
            if not is_quiet:
                self.stdout.write(f"  {row.name}: NDCG@10 {row.figures.ndcg10:.4f}")
        report = benchmark.report()
        if options["out"]:
            options["out"].write_text(json_format.dumps(report, indent=1) + "\n")
        if options["json"]:
            self.print_json(report)
        else:
            self._print(benchmark, report)

    def _print(self, benchmark: Benchmark, report: dict[str, Any]) -> None:
        self.stdout.write(table([COLUMNS, *(_cells(row) for row in benchmark.rows)]))
        for name, reason in benchmark.skipped.items():
            self.stdout.write(f"{name} left out: {reason}")
        gap = report["difference"]
        self.stdout.write(
            f"phoenix - {report['best_baseline']}: {gap['ndcg10']:+.4f} NDCG@10, "
            f"95 % interval {gap['low']:+.4f} to {gap['high']:+.4f} (paired bootstrap over users)"
        )


def _cells(row: Row) -> tuple[str, ...]:
    found = row.figures
    return (
        row.name,
        f"{found.ndcg10:.4f} ({found.se_ndcg10:.4f})",
        *(f"{value:.4f}" for value in (found.recall10, found.recall50, found.mrr10)),
        "-" if row.validation is None else f"{row.validation:.4f}",
        f"{row.fit_seconds:.1f}",
        f"{row.tuning_seconds:.0f} ({row.settings_tried})",
        f"{row.peak_mib:.0f}",
        " ".join(f"{name}={value:g}" if value is not None else f"{name}=all" for name, value in row.chosen.items()),
    )


def _require_writable(path: Path) -> None:
    """Before the work, not after it."""
    try:
        path.open("a").close()
    except OSError as error:
        raise Invalid(f"{path}: cannot be written ({error.strerror}).") from None

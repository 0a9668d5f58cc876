"""``bench_feed``: how long a For You page takes, whole and by stage, and how that grows with the world."""

import json
import subprocess
import sys
from itertools import pairwise
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from feed.benchmarks import for_you, scratch, table
from xsocial.kernel.arguments import whole


class Command(BaseCommand):
    help = (
        "Measure For You pages (p50, p95, p99), fresh and from the cache, by one viewer and by eight at once: "
        "on the world in the database, or with --sizes on worlds of these many posts in databases of their own."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--viewers", type=whole(), default=20)
        parser.add_argument("--rounds", type=whole(), default=60)
        parser.add_argument("--sizes", default="", help="numbers of posts, for example 10000,100000,1000000")
        parser.add_argument("--json", action="store_true")

    def handle(self, *args: Any, viewers: int, rounds: int, sizes: str, json: bool, **options: Any) -> None:
        wanted = _sizes(sizes)
        if len(wanted) > 1:
            figures = _grown(wanted, viewers, rounds)
        elif wanted:
            with scratch.world(wanted[0]) as seconds:
                figures = for_you.run(viewers=min(viewers, scratch.VIEWERS), rounds=rounds)
                figures["world"]["made_in_s"] = round(seconds, 1)
        else:
            figures = for_you.run(viewers=viewers, rounds=rounds)
        if not figures:
            raise CommandError("nobody here follows anybody; run seed_world first", returncode=2)
        self.stdout.write(table(figures, as_json=json))


def _sizes(text: str) -> list[int]:
    try:
        sizes = [int(size) for size in text.split(",") if size.strip()]
    except ValueError as error:
        raise CommandError("--sizes takes whole numbers with commas between them", returncode=2) from error
    if any(size < 1_000 for size in sizes) or sizes != sorted(set(sizes)):
        raise CommandError("--sizes must rise, and be at least 1000 each", returncode=2)
    return sizes


def _grown(sizes: list[int], viewers: int, rounds: int) -> dict[str, dict]:
    """All worlds' figures, each from a process of its own, and the factors between neighbours."""
    by_size = {}
    for size in sizes:
        command = [sys.executable, sys.argv[0], "bench_feed", f"--sizes={size}", "--json"]
        done = subprocess.run(
            [*command, f"--viewers={viewers}", f"--rounds={rounds}"], stdout=subprocess.PIPE, text=True, check=False
        )
        if done.returncode:
            raise CommandError(f"the world of {size} posts could not be measured", returncode=1)
        by_size[size] = json.loads(done.stdout[done.stdout.index("{\n") :])
    figures = {f"{size} {name}": case for size, cases in by_size.items() for name, case in cases.items()}
    for small, large in pairwise(sizes):
        figures[f"growth {small} to {large}"] = {
            name: round(by_size[large][name]["p50_ms"] / by_size[small][name]["p50_ms"], 2)
            for name in ("fresh", "cached")
        }
    return figures

"""``bench_pages``: how long a reader waits for pages and buttons, beside the same posts as JSON."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from feed.benchmarks import pages, table
from xsocial.kernel.arguments import whole


class Command(BaseCommand):
    help = "Measure whole pages and actions in this process (p50, p95, p99), with a ratio to the JSON of the same load."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--rounds", type=whole(), default=40)
        parser.add_argument("--json", action="store_true")

    def handle(self, *args: Any, rounds: int, json: bool, **options: Any) -> None:
        figures = pages.run(rounds=rounds)
        if not figures:
            raise CommandError("nobody here follows anybody; run seed_world first", returncode=2)
        self.stdout.write(table(figures, as_json=json))

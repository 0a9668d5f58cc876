"""``bench_feed``: how long a For You page takes, whole and by stage."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from feed.benchmarks import for_you, table


class Command(BaseCommand):
    help = "Measure For You pages (p50, p95, p99) on the world in the database, fresh and from the cache."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--viewers", type=int, default=20)
        parser.add_argument("--rounds", type=int, default=60)
        parser.add_argument("--json", action="store_true")

    def handle(self, *args: Any, viewers: int, rounds: int, json: bool, **options: Any) -> None:
        if viewers < 1 or rounds < 1:
            raise CommandError("--viewers and --rounds must be at least 1", returncode=2)
        figures = for_you.run(viewers=viewers, rounds=rounds)
        if not figures:
            raise CommandError("nobody here follows anybody; run seed_world first", returncode=2)
        self.stdout.write(table(figures, as_json=json))

"""``bench_thunder``: how long a Thunder lookup takes, beside a plain baseline."""

from django.core.management.base import BaseCommand, CommandParser

from feed.benchmarks import table, thunder
from xsocial.kernel.arguments import seed, whole


class Command(BaseCommand):
    help = "Measure Thunder lookups (p50, p95, p99) on a synthetic world held in memory."
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--posts", type=whole(), default=1_000_000)
        parser.add_argument("--authors", type=whole(), default=20_000)
        parser.add_argument("--followed", type=whole(), default=1_000)
        parser.add_argument("--max-results", type=whole(), default=1_200, dest="wanted")
        parser.add_argument("--rounds", type=whole(), default=400)
        parser.add_argument("--seed", type=seed, default=1)
        parser.add_argument(
            "--database", action="store_true", help="instead: a cold start from all posts in the database"
        )
        parser.add_argument("--json", action="store_true")

    def handle(self, *args, json: bool, database: bool, **options) -> None:
        if database:
            self.stdout.write(table(thunder.cold_start(), as_json=json))
            return
        sizes = {key: options[key] for key in ("posts", "authors", "followed", "wanted", "rounds", "seed")}
        self.stdout.write(table(thunder.run(**sizes), as_json=json))

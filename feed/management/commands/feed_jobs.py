"""``feed_jobs``: run what beat runs on a schedule, now: communities, semantic ids, interests and the like."""

import time
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from feed import tasks

JOBS = {
    "communities": tasks.find_communities,
    "semantic-ids": tasks.code_posts,
    "signatures": tasks.sign_mutual_follows,
    "interests": tasks.infer_topics,
    "popular": tasks.count_popular,
    "signals": tasks.weigh_signals,
    "reach": tasks.count_reach,
}


class Command(BaseCommand):
    help = "Run the feed's scheduled jobs now, all or the named ones."

    def add_arguments(self, parser: CommandParser) -> None:
        # Before Python 3.12 argparse looks for the empty list, too, among the choices.
        parser.add_argument("jobs", nargs="*", choices=[*JOBS, []], metavar="JOB", help=", ".join(JOBS))

    def handle(self, *args: Any, **options: Any) -> None:
        for name in options["jobs"] or JOBS:
            started = time.perf_counter()
            done = JOBS[name]()
            self.stdout.write(f"{name}: {done} in {time.perf_counter() - started:.1f} s")

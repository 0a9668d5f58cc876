"""`manage.py seed_world`: fill an empty database with the demo world."""

import contextlib
import json
import random
import time
from argparse import ArgumentTypeError
from datetime import datetime
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from tqdm import tqdm

from accounts.models import User
from ads.models import Campaign
from feed.simulation import oracle, report
from feed.simulation.advertising import create_campaigns, create_known_campaigns
from feed.simulation.live import Life
from feed.simulation.load import MAX_SCREENED, STEPS, Load, screen, unscreened, write
from feed.simulation.scenarios import SCENARIOS
from feed.simulation.world import World, WorldSize, build_world
from xsocial.kernel import clock
from xsocial.kernel.arguments import number, seed, whole

KNOWN_ADVERTISERS = "known-advertisers"  # the one scenario that is not about people or posts


class Command(BaseCommand):
    """Generates, loads, screens and sums up one world."""

    help = "Build a deterministic demo world: people, follows, posts, pictures and weeks of reading."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--users", type=whole(20), default=1000)
        parser.add_argument("--posts", type=whole(100), default=30_000, help="about so many, with replies and reposts")
        parser.add_argument("--days", type=whole(3), default=28)
        parser.add_argument("--seed", type=seed, default=1)
        parser.add_argument("--impressions", type=whole(0), help="about so many (default: by users and posts)")
        parser.add_argument("--now", type=_moment_ms, help="ISO moment taken as now (default: now)")
        parser.add_argument("--if-empty", action="store_true", help="do nothing when there are people already")
        scenarios = sorted([*SCENARIOS, KNOWN_ADVERTISERS])
        parser.add_argument("--scenario", action="append", default=[], choices=scenarios)
        parser.add_argument("--unscreened", action="store_true", help="leave out labels and embeddings")
        parser.add_argument("--live", action="store_true", help="keep the seeded world going until interrupted")
        parser.add_argument("--pause", type=number(0.001), default=3.0, help="mean seconds between live actions")
        parser.add_argument("--json", action="store_true", help="print the summary as JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        size = _size(options)
        if options["live"]:
            self._live(options)
        elif not User.objects.exists():
            self._build(size, options)
        elif options["if_empty"]:
            self._furnish(options)  # an interrupted seeding is completed
        else:
            raise CommandError("There are people already; seed_world fills an empty database only.", returncode=2)

    def _build(self, size: WorldSize, options: dict[str, Any]) -> None:
        started = time.perf_counter()
        world, load = self._seed(size, options)
        oracle.write_truth(world, load.impression_ids)
        self._furnish(options)
        summary = report.summary(world)
        if KNOWN_ADVERTISERS in options["scenario"]:
            summary["click_values"] = create_known_campaigns(User.objects.filter(is_demo=True).earliest("id"))
        summary["seconds"] = round(time.perf_counter() - started, 1)
        self.stdout.write(json.dumps(summary) if options["json"] else report.as_text(summary))

    def _live(self, options: dict[str, Any]) -> None:
        """Until interrupted: people of this world post, like, reply and repost."""
        if not User.objects.filter(is_demo=True).exists():
            raise CommandError("There is no demo world to keep alive; run seed_world first.", returncode=2)
        life = Life(seed=options["seed"])
        with contextlib.suppress(KeyboardInterrupt):
            for happened in life.actions():
                self.stdout.write(happened)
                time.sleep(random.expovariate(1.0 / options["pause"]))

    def _seed(self, size: WorldSize, options: dict[str, Any]) -> tuple[World, Load]:
        quiet = _is_quiet(options)
        with tqdm(total=size.days * 24, unit="h", desc="living", disable=quiet) as bar:
            world = build_world(
                size,
                seed=options["seed"],
                now_ms=clock.now_ms() if options["now"] is None else options["now"],
                scenarios=[name for name in options["scenario"] if name in SCENARIOS],
                progress=bar.update,
            )
        load = Load(world, seed=options["seed"])
        with tqdm(total=STEPS, unit="part", desc="loading", disable=quiet) as bar:

            def told(part: str) -> None:
                bar.set_description(f"loading {part}")
                bar.update()

            write(load, told)
        return world, load

    def _furnish(self, options: dict[str, Any]) -> None:
        """What other rooms add to a loaded world, as far as it is missing: labels, vectors, campaigns, staff."""
        if not options["unscreened"]:
            total = min(unscreened().count(), MAX_SCREENED)
            with tqdm(total=total, unit="post", desc="screening", disable=_is_quiet(options) or not total) as bar:
                screen(progress=bar.update)
        if not Campaign.objects.exists():
            create_campaigns(list(User.objects.filter(is_demo=True).order_by("id")))
        # A password that everybody knows opens the admin on a laptop only.
        if not settings.STAFF_SECOND_FACTOR_REQUIRED and not User.objects.filter(is_staff=True).exists():
            User.objects.create_superuser(
                settings.DEMO_OPERATOR, password=settings.DEMO_PASSWORD, display_name="Operator"
            )


def _is_quiet(options: dict[str, Any]) -> bool:
    return options["json"] or options["verbosity"] == 0


def _size(options: dict[str, Any]) -> WorldSize:
    return WorldSize(options["users"], options["posts"], options["days"], options["impressions"])


def _moment_ms(text: str) -> int:
    try:
        return clock.to_ms(datetime.fromisoformat(text).astimezone())
    except (ValueError, OverflowError):
        raise ArgumentTypeError(f"{text!r} is not an ISO moment") from None

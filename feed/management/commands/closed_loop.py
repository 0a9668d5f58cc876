"""`manage.py closed_loop`: simulated viewers, the real pipeline, and models that learn every night."""

import json
from dataclasses import fields
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from feed.home_mixer.params import weight_problems
from feed.simulation.closed_loop import READ_A_DAY, WORLD_WEIGHTS, ClosedLoop, LoopSize
from feed.simulation.report import loop_as_text
from feed.simulation.scenarios import SCENARIOS
from feed.simulation.scratch import scratch_stores
from xsocial.kernel import clock
from xsocial.kernel.arguments import number, seed, whole

DAY_MS = 86_400_000
LEAST = {"users": 40, "posts": 300, "history_days": 3, "days": 1, "viewers": 1}


class Command(BaseCommand):
    """Runs on stores of its own: the data of the site stay as they are."""

    help = "Compare For You, learning on, with other policies on a simulated population; a policy lab."

    def add_arguments(self, parser: CommandParser) -> None:
        size = LoopSize()
        for name in ("days", "viewers", "users", "posts", "history_days"):
            parser.add_argument(f"--{name.replace('_', '-')}", type=whole(LEAST[name]), default=getattr(size, name))
        parser.add_argument(
            "--impressions", type=whole(1000), help=f"seen by everybody in all; default: {READ_A_DAY} a person a day"
        )
        parser.add_argument(
            "--first-minutes", type=number(), default=size.first_minutes, help="bound of the first training; 0: none"
        )
        parser.add_argument(
            "--nightly-minutes", type=number(), default=size.nightly_minutes, help="bound of each night's; 0: none"
        )
        parser.add_argument("--seed", type=seed, default=1)
        parser.add_argument("--scenario", action="append", default=[], choices=sorted(SCENARIOS))
        parser.add_argument("--weights", type=Path, help="JSON of head names and ranking weights to serve and judge by")
        parser.add_argument("--json", action="store_true")

    def handle(self, *args: Any, **options: Any) -> None:
        size = _size(options)
        chosen = _weights(options["weights"])
        with scratch_stores("closed_loop"):
            loop = ClosedLoop(
                size,
                seed=options["seed"],
                now_ms=_last_midnight_ms(),
                scenarios=tuple(options["scenario"]),
                ranking_weights=chosen,
            )
            figures = loop.run(self.stderr.write)
        self.stdout.write(json.dumps(figures) if options["json"] else loop_as_text(figures))


def _last_midnight_ms() -> int:
    """UTC. A world that ends at another hour is another one: so a seed gives the same whenever it is run."""
    return clock.now_ms() // DAY_MS * DAY_MS


def _size(options: dict[str, Any]) -> LoopSize:
    return LoopSize(**{field.name: options[field.name] for field in fields(LoopSize) if field.name in options})


def _weights(path: Path | None) -> dict[str, float]:
    if path is None:
        return dict(WORLD_WEIGHTS)
    try:
        found = json.loads(path.read_text())
    except (OSError, ValueError) as error:
        raise CommandError(f"{path} cannot be read as JSON: {error}", returncode=2) from None
    if problems := weight_problems(found):
        raise CommandError(f"{path}: {'; '.join(problems)}", returncode=2)
    return found

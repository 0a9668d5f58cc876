"""``feed_components``: the pipelines' stages and components in order."""

import json as jsonlib
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from feed import services


class Command(BaseCommand):
    help = "List both pipelines, stage by stage, in the order in which they run."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true")

    def handle(self, *args: Any, json: bool, **options: Any) -> None:
        found = services.components()
        if json:
            self.stdout.write(jsonlib.dumps(found, indent=2))
            return
        for pipeline, stages in found.items():
            self.stdout.write(pipeline)
            for stage, names in stages.items():
                self.stdout.write(f"  {stage}")
                for name in names:
                    self.stdout.write(f"    {name}")

"""manage.py phoenix_promote NAME | --rollback KIND | --withdraw KIND: change which model serves."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from ranking import registry
from ranking.management.base import PhoenixCommand
from ranking.models import ModelVersion
from xsocial.kernel.errors import Invalid


class Command(PhoenixCommand):
    help = "Promotes a registered model, goes back to the one before, or does without; alone it lists them."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name", nargs="?", help="a registered model")
        parser.add_argument("--rollback", choices=ModelVersion.Kind.values, help="promote the former one of this kind")
        parser.add_argument("--withdraw", choices=ModelVersion.Kind.values, help="serve without a model of this kind")

    def handle(self, *, name: str | None, rollback: str | None, withdraw: str | None, **options: Any) -> None:
        given = [value for value in (name, rollback, withdraw) if value]
        if len(given) > 1:
            raise Invalid("Give one of a name, --rollback and --withdraw.")
        if not given:
            self._list()
            return
        if withdraw:
            self.stdout.write(f"{registry.withdraw(withdraw).name} is withdrawn; no {withdraw} model serves.")
            return
        version = registry.promote(registry.by_name(name) if name else registry.previous(rollback or ""))
        self.stdout.write(f"{version.name} is promoted.")

    def _list(self) -> None:
        for version in ModelVersion.objects.all():
            self.stdout.write(f"{version.name}  {version.status}  {version.created_at:%Y-%m-%d %H:%M}")

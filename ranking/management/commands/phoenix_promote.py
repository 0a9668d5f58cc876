"""manage.py phoenix_promote NAME | --rollback KIND: change which model serves."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from ranking import registry
from ranking.management.base import PhoenixCommand
from ranking.models import ModelVersion
from xsocial.kernel.errors import Invalid


class Command(PhoenixCommand):
    help = "Promotes a registered model, or goes back to the one before; lists the registry without arguments."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name", nargs="?", help="a registered model")
        parser.add_argument("--rollback", choices=ModelVersion.Kind.values, help="promote the former one of this kind")

    def handle(self, *, name: str | None, rollback: str | None, **options: Any) -> None:
        if name and rollback:
            raise Invalid("Give a name or --rollback, not both.")
        if not name and not rollback:
            self._list()
            return
        version = registry.promote(registry.by_name(name) if name else registry.previous(rollback or ""))
        self.stdout.write(f"{version.name} is promoted.")

    def _list(self) -> None:
        for version in ModelVersion.objects.all():
            self.stdout.write(f"{version.name}  {version.status}  {version.created_at:%Y-%m-%d %H:%M}")

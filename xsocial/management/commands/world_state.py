"""`manage.py world_state`: what there is already, so that `up` builds only what is missing."""

import json
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.management.base import BaseCommand, CommandParser
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from ranking.models import ModelVersion

NUM_LOGINS = 3


class Command(BaseCommand):
    """Reports people, model and the demo logins."""

    # Checking would load every page, and with it the model libraries.
    requires_system_checks = ()
    help = "Tell whether the world has people and a model, and who the demo people are."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="print JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        state = world_state()
        if options["json"]:
            self.stdout.write(json.dumps(state))
            return
        for name, value in state.items():
            self.stdout.write(f"{name}: {value}")


def world_state() -> dict[str, Any]:
    """Which tables are missing, whether there are people and a model, and the first demo logins."""
    executor = MigrationExecutor(connection)
    num_missing = len(executor.migration_plan(executor.loader.graph.leaf_nodes()))
    is_empty = not executor.loader.applied_migrations
    if num_missing and not is_empty:
        return {"num_migrations_missing": num_missing, "is_empty": False}
    people = get_user_model().objects
    demo_users = people.filter(is_demo=True).order_by("id").values_list("username", flat=True)[:NUM_LOGINS]
    operators = people.filter(is_staff=True, username=settings.DEMO_OPERATOR).values_list("username", flat=True)
    return {
        "num_migrations_missing": num_missing,
        "is_empty": is_empty,
        "has_people": not is_empty and people.exists(),
        "has_model": not is_empty and _has_model(),
        "demo_users": [] if is_empty else list(demo_users),
        "operators": [] if is_empty else list(operators),
        "demo_password": settings.DEMO_PASSWORD,
    }


def _has_model() -> bool:
    """Whether each kind of model, retrieval and ranker, has one that serves."""
    promoted = ModelVersion.objects.filter(status=ModelVersion.Status.PROMOTED)
    return set(promoted.values_list("kind", flat=True)) == set(ModelVersion.Kind.values)

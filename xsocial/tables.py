"""Whether the database is as new as the code."""

import sys

from django.db import InterfaceError, OperationalError, connection
from django.db.migrations.executor import MigrationExecutor
from psycopg_pool import PoolTimeout

AWAY = (OperationalError, InterfaceError, PoolTimeout)


def num_missing() -> int:
    """How many migrations have not been applied."""
    executor = MigrationExecutor(connection)
    return len(executor.migration_plan(executor.loader.graph.leaf_nodes()))


def require_current() -> None:
    """End the process with one line where tables are missing: every page would fail with a page of its own.

    A database that is away is none of this; it may come back.
    """
    try:
        missing = num_missing()
    except AWAY:
        return
    if missing:
        print(
            f"The database is older than the code by {missing} migration{'s' * (missing > 1)}: run manage.py migrate",
            file=sys.stderr,
        )
        sys.exit(2)

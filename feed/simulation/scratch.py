"""Stores that exist for one run: a database of its own, Valkey numbers of its own, a folder of its own."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django.conf import settings
from django.db import connection
from django.test.utils import override_settings

from xsocial.kernel import redis

#: Far from the numbers in use, and still among the sixteen that an external Valkey has by default.
VALKEY_OFFSET = 10
END_OTHERS = """
SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()
"""


@contextmanager
def scratch_stores(name: str) -> Iterator[None]:
    """Everything read and written inside happens beside the real data, and is gone afterwards.

    The database is made and migrated as Django makes the one for its tests; the role must be
    allowed to create databases.
    """
    real = connection.settings_dict["NAME"]
    connection.settings_dict["TEST"]["NAME"] = f"{real}_{name}"
    with (
        tempfile.TemporaryDirectory(prefix=f"{name}-") as folder,
        override_settings(DATA_DIR=Path(folder), MEDIA_ROOT=Path(folder) / "media", REDIS_DB_OFFSET=VALKEY_OFFSET),
    ):
        connection.creation.create_test_db(verbosity=0, autoclobber=True, serialize=False)
        try:
            _empty_valkey()
            yield
        finally:
            _empty_valkey()
            with connection.cursor() as cursor:
                cursor.execute(END_OTHERS)  # threads of ours may still hold connections
            connection.creation.destroy_test_db(real, verbosity=0)


def _empty_valkey() -> None:
    for use in settings.REDIS_NUMBERS:
        redis.client(use).flushdb()

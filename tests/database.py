"""The test database: migrated once into a template, copied for every run and every worker.

Migrating takes many seconds, copying a template a fraction of one. The template's name carries a
hash of every migration file and of the installed libraries' list, so a change makes a new one.
"""

import fcntl
import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django.apps import apps
from django.conf import settings
from django.core.management import call_command
from django.db import connection

from xsocial import groups

PREFIX = "xsocial_template_"


def create(name: str) -> None:
    """Make the database `name` anew, and let Django's default connection use it."""
    template = PREFIX + migrations_hash()
    with _exclusive(), connection._nodb_cursor() as cursor:
        if not _exists(cursor, template):
            _drop_old_templates(cursor)
            _migrate_into(cursor, template)
        cursor.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
        cursor.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
    _use(name)


def drop(name: str) -> None:
    """Remove the database `name`."""
    connection.close()
    with connection._nodb_cursor() as cursor:
        cursor.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')


def migrations_hash() -> str:
    """A hash over the text of all migrations, ours and the libraries', and of what follows them."""
    digest = hashlib.sha256()
    for config in sorted(apps.get_app_configs(), key=lambda config: config.label):
        for file in sorted(Path(config.path).glob("migrations/*.py")):
            digest.update(f"{config.label}/{file.name}".encode() + file.read_bytes())
    digest.update(Path(groups.__file__).read_bytes())
    return digest.hexdigest()[:16]


@contextmanager
def _exclusive() -> Iterator[None]:
    """One worker builds the template, the others wait and copy it."""
    with (Path(settings.DATA_DIR) / "template.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _exists(cursor, name: str) -> bool:
    cursor.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name])
    return cursor.fetchone() is not None


def _drop_old_templates(cursor) -> None:
    cursor.execute("SELECT datname FROM pg_database WHERE starts_with(datname, %s)", [PREFIX])
    for (name,) in cursor.fetchall():
        cursor.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


def _migrate_into(cursor, template: str) -> None:
    """Build under another name, so that an interrupted build is never taken for a template."""
    partial = f"{PREFIX}partial"
    cursor.execute(f'DROP DATABASE IF EXISTS "{partial}" WITH (FORCE)')
    cursor.execute(f'CREATE DATABASE "{partial}"')
    _use(partial)
    call_command("migrate", verbosity=0, interactive=False)
    connection.close()
    cursor.execute(f'ALTER DATABASE "{partial}" RENAME TO "{template}"')


def _use(name: str) -> None:
    connection.close()
    settings.DATABASES["default"]["NAME"] = connection.settings_dict["NAME"] = name

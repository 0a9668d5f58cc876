"""What no command can do anything about, in one line: a store that is away, a read-only folder, a full disk."""

import errno

from xsocial.services.errors import ServiceError
from xsocial.settings.env import SettingError

OF_THE_MACHINE = {
    errno.EACCES, errno.EDQUOT, errno.EISDIR, errno.ENOENT, errno.ENOSPC, errno.ENOTDIR, errno.EPERM, errno.EROFS,
}  # fmt: skip
# Classes of SQLSTATE: connection, resources, an operator's intervention. Failed connections have none.
OF_THE_SERVER = ("08", "53", "57")
UNDEFINED_TABLE, UNDEFINED_COLUMN = "42P01", "42703"


def in_words(error: Exception) -> str:
    """One line for the person at the terminal; empty for a fault of ours, which deserves its traceback."""
    if isinstance(error, (SettingError, ServiceError)):
        return str(error)
    if isinstance(error, OSError):
        return f"{error.filename or 'output'}: {error.strerror}" if error.errno in OF_THE_MACHINE else ""
    # Imported only now that something went wrong: `up` and `services` do without them.
    from django.db import OperationalError, ProgrammingError
    from redis.exceptions import ConnectionError as NoConnection

    from xsocial import tables

    if isinstance(error, NoConnection):
        return f"Valkey does not answer: {_first_line(error)}"
    state = getattr(error.__cause__, "sqlstate", None)
    if isinstance(error, OperationalError) and (state is None or state.startswith(OF_THE_SERVER)):
        return f"PostgreSQL does not answer: {_first_line(error)}"
    if isinstance(error, ProgrammingError) and state == UNDEFINED_TABLE:
        return "the database has no tables for this yet: run manage.py migrate"
    if isinstance(error, ProgrammingError) and state == UNDEFINED_COLUMN and tables.num_missing():
        return "the database is older than the code: run manage.py migrate"
    return ""


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0]

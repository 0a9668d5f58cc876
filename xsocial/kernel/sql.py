"""Reads written in SQL, for paths where the ORM needs longer to build a query than PostgreSQL to answer it.

PostgreSQL parses and plans each of them once per connection (see `settings/stores.py`), and answers in
its binary format. Parameters travel apart from the text, so a bare one must say its type where the
query does not: `%(kinds)s::smallint[]`.

Whole columns come back packed: `string_agg(int8send(id), '')` is one value that becomes an array
without a Python object per row. Aggregates of one SELECT see its rows in the same order.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

import numpy as np
import psycopg
from django.db import connection
from django.db.backends.utils import CursorWrapper

_PLACE = re.compile(r"%\(\w+\)s")


def rows(query: str, params: dict[str, Any]) -> list[tuple]:
    """All rows of a query with named places, `%(name)s`."""
    with _prepared() as cursor:
        cursor.execute(query, params)
        return cursor.fetchall()


def row(query: str, params: dict[str, Any]) -> tuple | None:
    """The first row, or None."""
    with _prepared() as cursor:
        cursor.execute(query, params)
        return cursor.fetchone()


def _prepared() -> CursorWrapper:
    """Django's wrapper around a cursor that prepares; Django's own put the values into the text."""
    connection.close_if_health_check_failed()
    connection.ensure_connection()
    cursor: Any = psycopg.Cursor(connection.connection)
    cursor.format = psycopg.pq.Format.BINARY
    return connection.make_debug_cursor(cursor) if connection.queries_logged else connection.make_cursor(cursor)


def positional(query: str, params: dict[str, Any]) -> tuple[str, list[Any]]:
    """The query with `%s` in place of `%(name)s`, and the values in their order, as the ORM passes them on."""
    values = [params[place[2:-2]] for place in _PLACE.findall(query)]
    return _PLACE.sub("%s", query), values


def bigints(values: Iterable[int] | np.ndarray) -> str:
    """Ids as the text of an array, for `ANY(%(ids)s::bigint[])`: one parameter whatever their number."""
    numbers = values.tolist() if isinstance(values, np.ndarray) else values
    return "{" + ",".join(map(str, numbers)) + "}"


def packed(expression: str) -> str:
    """SQL that packs a bigint expression of all rows into one value."""
    return f"string_agg(int8send({expression}), '')"


def unpacked(value: bytes | memoryview | None) -> np.ndarray:
    """The int64 column behind a packed value; empty for no rows."""
    return np.frombuffer(value or b"", dtype=">i8").astype(np.int64)


def texts(values: list[str] | None) -> np.ndarray:
    """`array_agg` of texts as a column of objects."""
    column = np.empty(len(values or ()), dtype=object)
    column[:] = values or ()
    return column

"""Statements in SQL, for paths where the ORM needs longer to build a query than PostgreSQL to answer it.

PostgreSQL parses and plans each of them once per connection (see `settings/stores.py`), and answers in
its binary format. Parameters travel apart from the text, so a bare one must say its type where the
query does not: `%(kinds)s::smallint[]`.

Whole columns come back packed: `string_agg(int8send(id), '')` is one value that becomes an array
without a Python object per row. Aggregates of one SELECT see its rows in the same order.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import cache
from typing import Any, TypeVar

import numpy as np
import psycopg
from django.db import DEFAULT_DB_ALIAS, connection
from django.db.backends.utils import CursorWrapper
from django.db.models import AutoField, Field, Model

T = TypeVar("T", bound=Model)

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


def execute(query: str, params: dict[str, Any]) -> int:
    """Change something; how many rows were changed."""
    with _prepared() as cursor:
        cursor.execute(query, params)
        return cursor.rowcount


def insert(rows: Sequence[Model]) -> None:
    """Store new rows of one model, in this order. What the database itself fills in is not read back."""
    if len(rows) == 1:
        (row,) = rows
        values = [field.get_db_prep_save(field.pre_save(row, True), connection) for field in _inserted(type(row))]
        with _prepared() as cursor:
            cursor.execute(_insertion(type(row)), values)
        row._state.adding, row._state.db = False, connection.alias
    elif rows:  # rare, and each number of rows would be a statement of its own
        type(rows[0])._default_manager.bulk_create(rows)


@cache
def _inserted(model: type[Model]) -> list[Field]:
    return [field for field in model._meta.concrete_fields if not isinstance(field, AutoField)]


@cache
def _insertion(model: type[Model]) -> str:
    names = [str(field.column) for field in _inserted(model)]
    return f"INSERT INTO {model._meta.db_table} ({', '.join(names)}) VALUES ({', '.join(['%s'] * len(names))})"


@cache
def columns(model: type[Model], alias: str) -> str:
    """SQL of all columns of a model, for `made`."""
    return ", ".join(f"{alias}.{field.column}" for field in model._meta.concrete_fields)


def made(model: type[T], values: Sequence[Any]) -> T:
    """The object whose `columns` these are; values left over are somebody else's."""
    return model.from_db(DEFAULT_DB_ALIAS, _names(model), values[: len(_names(model))])


@cache
def _names(model: type[Model]) -> list[str]:
    return [field.attname for field in model._meta.concrete_fields]


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

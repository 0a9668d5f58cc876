"""Fast ways into PostgreSQL for whole tables: binary COPY from columns, and bare tables while they fill.

Rows are packed with NumPy; a row is built in Python only where a column has text or NULLs.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
from django.db import connection, models

from xsocial.kernel import clock, ids

ROWS_PER_WRITE = 50_000
# Protocol of COPY ... (FORMAT BINARY): PostgreSQL manual, "COPY", section "Binary Format".
HEADER = b"PGCOPY\n\xff\r\n\0" + bytes(8)
TRAILER = b"\xff\xff"
#: Moments are microseconds since 2000 in PostgreSQL.
EPOCH_2000_MS = 946_684_800_000

#: Column type -> its binary form, for what does not vary in length.
FIXED = {
    "bigint": ">i8",
    "integer": ">i4",
    "smallint": ">i2",
    "double precision": ">f8",
    "boolean": "u1",
    "timestamp with time zone": ">i8",
}

Column = Sequence[Any] | np.ndarray


def snowflakes(milliseconds: np.ndarray, *, first: int = 0) -> np.ndarray:
    """Distinct ids of these moments; several in one millisecond are numbered in the given order.

    `first`, how many ids were made before, keeps later batches apart from earlier ones.
    """
    order = np.argsort(milliseconds, kind="stable")
    ordered = milliseconds[order]
    place = np.arange(len(ordered))
    is_first = np.r_[True, ordered[1:] != ordered[:-1]] if len(ordered) else np.empty(0, dtype=bool)
    ordinal = place - np.maximum.accumulate(np.where(is_first, place, 0))
    ordinal = (ordinal + first) & ((1 << ids.TIMESTAMP_SHIFT) - 1)
    found = np.empty(len(ordered), dtype=np.int64)
    found[order] = ((ordered - ids.EPOCH_MS) << ids.TIMESTAMP_SHIFT) + ordinal
    return found


@dataclass(frozen=True)
class _Packed:
    """One column of a write: `lengths` before each value, and the values.

    `values` is an array of fixed-size items, or a list of bytes when lengths differ.
    """

    lengths: np.ndarray
    values: np.ndarray | list[bytes]


def copy_rows(model: type[models.Model], count: int, **columns: Column) -> None:
    """COPY `count` rows of a model. Columns are named by attname; others take their default.

    Moments are milliseconds since 1970. NULL is nan, None, or a masked entry.
    """
    if not count:
        return
    fields = [
        field
        for field in model._meta.concrete_fields
        if field.attname in columns or not isinstance(field, models.AutoField)
    ]
    names = ", ".join(f'"{field.column}"' for field in fields)
    statement = f'COPY "{model._meta.db_table}" ({names}) FROM STDIN (FORMAT BINARY)'
    with connection.cursor() as cursor, cursor.copy(statement) as copy:
        copy.write(HEADER)
        for low in range(0, count, ROWS_PER_WRITE):
            size = min(ROWS_PER_WRITE, count - low)
            packed = [_column(field, columns.get(field.attname), low, size) for field in fields]
            copy.write(_rows(packed, size))
        copy.write(TRAILER)


def _column(field: models.Field, values: Column | None, low: int, size: int) -> _Packed:
    if values is None:
        return _default(field, size)
    return _pack(_kind(field), values[low : low + size])


def _kind(field: models.Field) -> str:
    return str(field.db_type(connection))


def _default(field: models.Field, size: int) -> _Packed:
    """What a column not given gets: the model's default, now for a moment."""
    if isinstance(field, models.DateTimeField) and not field.null:
        return _pack(_kind(field), np.full(size, clock.now_ms()))
    value = None if field.null and not field.has_default() else field.get_default()
    if value is None:
        return _Packed(np.full(size, -1, dtype=">i4"), np.empty(size, dtype="V0"))
    if _kind(field) in FIXED:
        return _pack(_kind(field), np.full(size, value))
    text = _text(_kind(field), value)
    return _Packed(
        np.full(size, len(text), dtype=">i4"), np.full(size, np.void(text)) if text else np.empty(size, "V0")
    )


def _pack(kind: str, values: Column) -> _Packed:
    if kind not in FIXED:
        encoded = [b"" if value is None else _text(kind, value) for value in values]
        lengths = [-1 if value is None else len(item) for value, item in zip(values, encoded, strict=True)]
        return _Packed(np.array(lengths, dtype=">i4"), encoded)
    items, absent = _items(kind, values)
    lengths = np.where(absent, -1, items.dtype.itemsize).astype(">i4")
    if not absent.any():
        return _Packed(lengths, items)
    whole = items.view(f"V{items.dtype.itemsize}").tolist()
    return _Packed(lengths, [b"" if gone else item for item, gone in zip(whole, absent.tolist(), strict=True)])


def _items(kind: str, values: Column) -> tuple[np.ndarray, np.ndarray]:
    """Values in binary form, and which of them are NULL."""
    given = np.asanyarray(values)
    absent = np.ma.getmaskarray(given) if np.ma.isMaskedArray(given) else np.zeros(len(given), dtype=bool)
    if given.dtype.kind == "f":
        absent = absent | np.isnan(np.ma.getdata(given))
    plain = np.where(absent, 0, np.ma.getdata(given))
    if kind == "timestamp with time zone":
        plain = (plain - EPOCH_2000_MS) * 1000
    return plain.astype(FIXED[kind]), absent


def _text(kind: str, value: Any) -> bytes:
    if kind == "jsonb":
        raise TypeError("columns of JSON are not loaded in bulk")
    return str(value).encode()


def _rows(columns: list[_Packed], size: int) -> bytes:
    """Whole rows: runs of fixed-size columns packed by NumPy, ragged columns put between them."""
    parts: list[list[bytes]] = []
    run = [np.full(size, len(columns), dtype=">i2")]
    for column in columns:
        run.append(column.lengths)
        if isinstance(column.values, list):
            parts += [_joined(run).tolist(), column.values]
            run = []
        elif column.values.dtype.itemsize:
            run.append(column.values)
    if not parts:
        return _joined(run).tobytes()
    if run:
        parts.append(_joined(run).tolist())
    return b"".join(item for row in zip(*parts, strict=True) for item in row)


def _joined(run: list[np.ndarray]) -> np.ndarray:
    """Columns side by side as one array of raw rows."""
    together = np.empty(len(run[0]), dtype=[(f"f{place}", column.dtype) for place, column in enumerate(run)])
    for place, column in enumerate(run):
        together[f"f{place}"] = column
    return together.view(f"V{together.dtype.itemsize}")


# -- bare tables -------------------------------------------------------------------------------

FOREIGN_KEYS = """
SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid)
  FROM pg_constraint WHERE contype = 'f' AND conrelid = ANY(%s::regclass[]) ORDER BY 1, 2
"""
PLAIN_INDEXES = """
SELECT i.indexrelid::regclass::text, pg_get_indexdef(i.indexrelid)
  FROM pg_index i
 WHERE i.indrelid = ANY(%s::regclass[])
   AND NOT EXISTS (SELECT 1 FROM pg_constraint c WHERE c.conindid = i.indexrelid)
 ORDER BY 1
"""


@contextmanager
def bare_tables(*filled: type[models.Model]) -> Iterator[None]:
    """Take indexes and foreign keys off tables while they are filled, and put them back.

    Building an index once is several times faster than growing it, and a foreign key is checked
    by one join. Belongs inside a transaction: until it ends nobody else sees the tables bare.
    Primary keys and unique constraints stay; rows that come in their order cost little there.
    """
    tables = [f'"{model._meta.db_table}"' for model in filled]
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")  # no table with checks pending may be altered
        cursor.execute(FOREIGN_KEYS, [tables])
        keys = cursor.fetchall()
        cursor.execute(PLAIN_INDEXES, [tables])
        indexes = cursor.fetchall()
        for table, name, _ in keys:
            cursor.execute(f'ALTER TABLE {table} DROP CONSTRAINT "{name}"')
        for name, _ in indexes:
            cursor.execute(f"DROP INDEX {name}")
    yield
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL maintenance_work_mem = '512MB'")
        for _, definition in indexes:
            cursor.execute(definition)
        for table, name, definition in keys:
            cursor.execute(f'ALTER TABLE {table} ADD CONSTRAINT "{name}" {definition}')

"""Query results as NumPy columns, streamed by COPY in PostgreSQL's binary form.

Every column is fixed in width and never null, so a row is a fixed number of bytes and a whole result
is one structured array: nothing is made a Python object on the way, and memory holds the columns and
one network buffer.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from django.db import connection

# "PGCOPY\n\377\r\n\0", a word of flags and a word of extension length.
HEADER_BYTES = 19
TRAILER_BYTES = 2

BIGINT, REAL, BOOL = ">i8", ">f4", "?"
NATIVE = {BIGINT: np.int64, REAL: np.float32, BOOL: np.bool_}


def vector_of(size: int) -> tuple[str, int]:
    """Type of a `vector_send(...)` column: two 16-bit words, then that many float32."""
    return (REAL, size)


def read_columns(sql: str, parameters: Sequence[Any], types: Sequence[Any]) -> list[np.ndarray]:
    """The columns of a query, each as the native form of its type; vectors as [N, size]."""
    row = _row_type(types)
    buffer = bytearray()
    with connection.cursor() as cursor:
        statement = f"COPY ({cursor.mogrify(sql, parameters)}) TO STDOUT (FORMAT binary)"
        with cursor.copy(statement) as copy:
            for data in copy:
                buffer += data
    count, rest = divmod(len(buffer) - HEADER_BYTES - TRAILER_BYTES, row.itemsize)
    if rest:
        raise ValueError("a column is null or of another width than declared")
    rows = np.frombuffer(buffer, dtype=row, count=count, offset=HEADER_BYTES)
    return [_native(rows[f"value{place}"], kind) for place, kind in enumerate(types)]


def _row_type(types: Sequence[Any]) -> np.dtype:
    fields: list[tuple[str, Any]] = [("fields", ">i2")]
    for place, kind in enumerate(types):
        fields.append((f"length{place}", ">i4"))
        if isinstance(kind, tuple):
            scalar, size = kind
            fields += [(f"header{place}", ">i4"), (f"value{place}", scalar, (size,))]
        else:
            fields.append((f"value{place}", kind))
    return np.dtype(fields)


def _native(column: np.ndarray, kind: Any) -> np.ndarray:
    scalar = kind[0] if isinstance(kind, tuple) else kind
    return column.astype(NATIVE[scalar])

"""Plain values and arrays as few bytes: msgpack with columns laid out for the compressor, then zstd.

A column is stored as differences, as a dictionary of its values, or narrowed, whichever is smaller;
its bytes are transposed, so that the equal high bytes of neighbours stand together. Values come
back equal, including their array types. Dataclasses of this project are stored by name and fields.
"""

from __future__ import annotations

from dataclasses import fields, is_dataclass
from enum import Enum
from importlib import import_module
from typing import Any

import msgpack
import numpy as np
import zstandard

LEVEL = 9
ARRAY, TUPLE, SET, FROZENSET, RECORD = range(1, 6)
OURS = ("accounts.", "ads.", "feed.", "moderation.", "posts.", "ranking.")


def pack(value: Any) -> bytes:
    """``value`` in the compact form. Raises TypeError for what has no plain form."""
    return zstandard.ZstdCompressor(level=LEVEL).compress(_packed(value))


def unpack(body: bytes) -> Any:
    """The value again. Raises ValueError for bytes that ``pack`` did not make."""
    try:
        return _unpacked(zstandard.ZstdDecompressor().decompress(body))
    except (zstandard.ZstdError, msgpack.UnpackException, msgpack.ExtraData) as error:
        raise ValueError(f"not a packed value: {error}") from error


def _packed(value: Any) -> bytes:
    return msgpack.packb(value, default=_plain, strict_types=True)


def _unpacked(body: bytes) -> Any:
    return msgpack.unpackb(body, ext_hook=_restored, strict_map_key=False)


def _plain(value: Any) -> Any:
    if isinstance(value, np.ndarray):
        return msgpack.ExtType(ARRAY, _packed(_laid_out(value)))
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, Enum):
        return value.value
    for code, kind in ((TUPLE, tuple), (SET, set), (FROZENSET, frozenset)):
        if isinstance(value, kind):
            return msgpack.ExtType(code, _packed(sorted(value) if code != TUPLE else list(value)))
    if is_dataclass(value) and type(value).__module__.startswith(OURS):
        named = {field.name: getattr(value, field.name) for field in fields(value) if field.init}
        return msgpack.ExtType(RECORD, _packed([type(value).__module__, type(value).__qualname__, named]))
    raise TypeError(f"{type(value).__name__} has no plain form")


def _restored(code: int, body: bytes) -> Any:
    value = _unpacked(body)
    if code == ARRAY:
        return _array(value)
    if code == RECORD:
        module, name, named = value
        if not module.startswith(OURS):
            raise ValueError(f"{module} is not ours")
        return getattr(import_module(module), name)(**named)
    return {TUPLE: tuple, SET: set, FROZENSET: frozenset}[code](value)


# --- Columns -------------------------------------------------------------------------------------


def _laid_out(column: np.ndarray) -> list[Any]:
    """[type, shape, how, parts ...]."""
    head = [column.dtype.str, list(column.shape)]
    if column.dtype == object:
        return [*head, "values", column.ravel().tolist()]
    if column.dtype == bool:
        return [*head, "bits", np.packbits(column.ravel()).tobytes()]
    flat = np.ascontiguousarray(column.T if column.ndim > 1 else column).ravel()
    if not len(flat):
        return [*head, "plain", flat.dtype.str, b""]
    if flat.dtype.kind == "f":
        return [*head, "plain", *_bytes_of(_narrow_float(flat))]
    return [*head, *min(_integer_layouts(flat), key=lambda parts: sum(map(len, parts)))]


def _integer_layouts(flat: np.ndarray) -> list[list[Any]]:
    layouts = [["plain", *_bytes_of(_narrow(flat))]]
    if flat.dtype == np.int64:
        with np.errstate(over="ignore"):
            layouts.append(["steps", *_bytes_of(_narrow(np.diff(flat, prepend=np.int64(0))))])
        known, which = np.unique(flat, return_inverse=True)
        if len(known) <= len(flat) // 2:
            with np.errstate(over="ignore"):
                steps = _narrow(np.diff(known, prepend=np.int64(0)))
            layouts.append(["words", *_bytes_of(steps), *_bytes_of(_narrow(which))])
    return layouts


def _array(parts: list[Any]) -> np.ndarray:
    dtype, shape, how, *rest = parts
    size = int(np.prod(shape))
    if how == "values":
        column = np.empty(size, dtype=object)
        for row, value in enumerate(rest[0]):
            column[row] = value
        return column.reshape(shape)
    if how == "bits":
        return np.unpackbits(np.frombuffer(rest[0], np.uint8), count=size).astype(bool).reshape(shape)
    if how == "plain":
        flat = _column(rest[0], rest[1]).astype(dtype)
    elif how == "steps":
        flat = _summed(rest[0], rest[1])
    else:
        flat = _summed(rest[0], rest[1])[_column(rest[2], rest[3])]
    return flat.reshape(shape[::-1]).T if len(shape) > 1 else flat


def _summed(dtype: str, body: bytes) -> np.ndarray:
    with np.errstate(over="ignore"):
        return np.cumsum(_column(dtype, body), dtype=np.int64)


def _narrow(values: np.ndarray) -> np.ndarray:
    """The same whole numbers in the smallest type that holds them."""
    low, high = int(values.min()), int(values.max())
    kinds = (np.uint8, np.int8, np.uint16, np.int16, np.uint32, np.int32)
    fitting = (kind for kind in kinds if np.iinfo(kind).min <= low and high <= np.iinfo(kind).max)
    return values.astype(next(fitting, values.dtype))


def _narrow_float(values: np.ndarray) -> np.ndarray:
    """Single precision where nothing is lost by it, and half where it was that already."""
    if values.dtype.itemsize <= 4:
        return values
    with np.errstate(over="ignore"):
        single = values.astype(np.float32)
    return single if np.array_equal(single.astype(values.dtype), values, equal_nan=True) else values


def _bytes_of(values: np.ndarray) -> list[Any]:
    """Type and transposed bytes: all first bytes, then all second bytes, and so on."""
    table = values.view(np.uint8).reshape(len(values), values.dtype.itemsize)
    return [values.dtype.str, np.ascontiguousarray(table.T).tobytes()]


def _column(dtype: str, body: bytes) -> np.ndarray:
    kind = np.dtype(dtype)
    table = np.frombuffer(body, np.uint8).reshape(kind.itemsize, -1)
    return np.ascontiguousarray(table.T).view(kind).ravel()

"""Candidates as columns: one array per field over all rows, taken lazily.

Row objects cost an order of magnitude more than arrays at 1,500 candidates; they are built only
for the few rows that reach a page.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np


@dataclass(frozen=True, slots=True)
class Column:
    """How one field is stored, and the value that means "not hydrated"."""

    dtype: Any
    missing: Any
    width: int = 0  # 0: one value a row; otherwise a matrix of this many columns

    def blank(self, n: int) -> np.ndarray:
        """``n`` rows of the missing value."""
        return np.full((n, self.width) if self.width else n, self.missing, dtype=self.dtype)

    def of(self, values: Sequence | np.ndarray) -> np.ndarray:
        """``values`` as an array of this column's type (text and ragged values stay objects)."""
        if self.dtype is not object or isinstance(values, np.ndarray):
            return np.asarray(values, dtype=self.dtype)
        return np.fromiter(values, dtype=object, count=len(values))  # np.array would unpack nested lists


@dataclass(frozen=True)
class Schema:
    """The columns a candidate may have, by name."""

    columns: Mapping[str, Column]

    def __getitem__(self, name: str) -> Column:
        return self.columns[name]

    def __contains__(self, name: object) -> bool:
        return name in self.columns


@dataclass(eq=False)
class Batch:
    """``n`` candidates. Reading a column nobody wrote gives its missing value.

    A batch made by ``take`` or ``concat`` reads the columns of those it was made of on demand;
    writing to it never changes them, so an earlier snapshot stays what it was at no cost.
    """

    schema: Schema
    n: int
    _own: dict[str, np.ndarray] = field(default_factory=dict, repr=False)
    _parent: Batch | None = field(default=None, repr=False)
    _index: np.ndarray | None = field(default=None, repr=False)
    _parts: tuple[Batch, ...] = field(default=(), repr=False)
    # The nearest batch above with columns of its own, and the rows there: reading is one step, not one per take.
    _origin: Batch | None = field(default=None, repr=False)
    _rows: np.ndarray | None = field(default=None, repr=False)
    _taken: dict[str, np.ndarray] = field(default_factory=dict, repr=False)

    @classmethod
    def of(cls, schema: Schema, **columns: Sequence | np.ndarray) -> Batch:
        """A batch from columns of equal length."""
        own = {name: schema[name].of(values) for name, values in columns.items()}
        lengths = {len(values) for values in own.values()}
        if len(lengths) > 1:
            raise ValueError(f"columns differ in length: {sorted(lengths)}")
        return cls(schema, lengths.pop() if lengths else 0, own)

    @classmethod
    def empty(cls, schema: Schema) -> Batch:
        """No candidates."""
        return cls(schema, 0)

    @classmethod
    def concat(cls, schema: Schema, batches: Iterable[Batch]) -> Batch:
        """All rows in the given order; a column absent from one part is missing there."""
        parts = tuple(batch for batch in batches if batch.n)
        if len(parts) == 1:
            return parts[0].take(np.arange(parts[0].n))
        return cls(schema, sum(part.n for part in parts), _parts=parts)

    def __len__(self) -> int:
        return self.n

    def __contains__(self, name: object) -> bool:
        return name in self._own or any(name in batch for batch in self._sources())

    def __getitem__(self, name: str) -> np.ndarray:
        if name in self._own:
            return self._own[name]
        if name not in self._taken:
            self._taken[name] = self._read(name)
        return self._taken[name]

    def _sources(self) -> tuple[Batch, ...]:
        return self._parts if self._parent is None else (self._parent,)

    def _read(self, name: str) -> np.ndarray:
        if self._origin is not None:
            return self._origin[name][self._rows]
        if any(name in part for part in self._parts):
            return np.concatenate([part[name] for part in self._parts])
        return self.schema[name].blank(self.n)

    def names(self) -> list[str]:
        """Columns somebody wrote, in the order of writing."""
        inherited = (name for batch in self._sources() for name in batch.names())
        return list(dict.fromkeys([*inherited, *self._own]))

    def take(self, rows: np.ndarray) -> Batch:
        """The rows at these positions (or under this boolean mask), in that order."""
        index = np.flatnonzero(rows) if rows.dtype == bool else rows
        origin, above = (self, index) if self._own or self._rows is None else (self._origin, self._rows[index])
        return Batch(self.schema, len(index), _parent=self, _index=index, _origin=origin, _rows=above)

    def positions_in(self, ancestor: Batch) -> np.ndarray:
        """Where each row stands in the batch this one was taken from, over any number of takes.

        Raises ValueError for a batch that was not taken from ``ancestor``.
        """
        positions, batch = np.arange(self.n), self
        while batch is not ancestor:
            if batch._parent is None or batch._index is None:
                raise ValueError("not taken from that batch")
            positions, batch = batch._index[positions], batch._parent
        return positions

    def assign(self, name: str, values: np.ndarray, ok: np.ndarray | None = None) -> None:
        """Write a column, or only its rows under ``ok``. Only the pipeline's runner calls this."""
        if ok is not None:
            values = np.where(ok if values.ndim == 1 else ok[:, None], values, self[name])
        self._own[name] = values

    def rows(self, names: Iterable[str] | None = None) -> list[dict[str, Any]]:
        """Row dictionaries: for the edges (a page, a receipt), never for a whole batch."""
        names = list(names or self.names())
        columns = [self[name].tolist() for name in names]
        return [dict(zip(names, values, strict=True)) for values in zip(*columns, strict=True)]

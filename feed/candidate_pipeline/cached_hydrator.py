"""A hydrator with a cache in front: one multi-get, one call for the misses."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import numpy as np

from .batch import Batch
from .faults import BadAnswer, guarded, report
from .stages import Hydrated, Hydrator


class RowCache(Protocol):
    """What a cache must offer; a value is a tuple in the order of the hydrator's ``writes``."""

    def get_many(self, keys: Sequence[Any]) -> Mapping[Any, tuple]: ...

    def set_many(self, values: Mapping[Any, tuple]) -> None: ...


class CachedHydrator(Hydrator):
    """Hits from the cache; misses, and only they, from ``fetch``. "Not found" is cached too.

    When ``fetch`` fails the hits are kept and the missing rows stay as they were.
    """

    def __init__(self, cache: RowCache) -> None:
        self.cache = cache

    def keys(self, query: Any, batch: Batch) -> list:
        """One hashable key per row."""
        raise NotImplementedError

    def fetch(self, query: Any, misses: Batch) -> Hydrated:
        """Columns for the rows that were not in the cache."""
        raise NotImplementedError

    def hydrate(self, query: Any, batch: Batch) -> Hydrated:
        """Columns for every row whose value is known."""
        keys = self.keys(query, batch)
        values = dict(self.cache.get_many(list(dict.fromkeys(keys))))
        missing = np.array([key not in values for key in keys], dtype=bool)
        if missing.any():
            wanted = [key for key in keys if key not in values]
            fresh = self._fetched(query, batch.take(missing), wanted, batch.n)
            self.cache.set_many(fresh)
            values.update(fresh)
        return self._columns(keys, values)

    def _fetched(self, query: Any, misses: Batch, keys: list, batch_size: int) -> dict[Any, tuple]:
        outcome = guarded(self.name, lambda: self.fetch(query, misses))
        if outcome.error and misses.n == batch_size:
            raise outcome.error  # nothing to save: the whole answer failed
        if outcome.error:
            return {}
        hydrated = outcome.value
        columns = [hydrated.columns[name] for name in self.writes]
        if any(len(column) != misses.n for column in columns):
            report(self.name, BadAnswer(f"expected {misses.n} rows"))
            return {}
        ok = hydrated.ok if hydrated.ok is not None else np.ones(misses.n, dtype=bool)
        return {key: tuple(column[row] for column in columns) for row, key in enumerate(keys) if ok[row]}

    def _columns(self, keys: list, values: Mapping[Any, tuple]) -> Hydrated:
        ok = np.array([key in values for key in keys], dtype=bool)
        if not ok.any():
            return Hydrated({}, ok)
        filler = next(iter(values.values()))  # keeps column types whole; masked out by ``ok``
        columns = zip(*(values.get(key, filler) for key in keys), strict=True)
        return Hydrated(dict(zip(self.writes, map(list, columns), strict=True)), ok)

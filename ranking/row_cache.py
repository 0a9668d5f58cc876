"""Rows of numbers by post, kept in one matrix so that thousands are fetched at once."""

from __future__ import annotations

import threading

import numpy as np

from ranking.types import Bools, Floats, Int64s

INITIAL_ROWS = 1024


class RowCache:
    """Float32 rows by id; when it is full, those stored first make room. Thread-safe."""

    def __init__(self, columns: int, *, capacity: int) -> None:
        self._lock = threading.Lock()
        self._capacity = capacity
        self._place: dict[int, int] = {}
        self._ids = np.zeros(min(INITIAL_ROWS, capacity), np.int64)
        self._rows = np.zeros((len(self._ids), columns), np.float32)
        self._next = 0

    def __len__(self) -> int:
        return len(self._place)

    def get(self, ids: Int64s) -> tuple[Floats, Bools]:
        """Rows [N, columns], zero where nothing is stored, and which are."""
        with self._lock:
            places = np.fromiter((self._place.get(i, -1) for i in ids.tolist()), np.int64, len(ids))
            known = places >= 0
            rows = self._rows.take(places, axis=0, mode="clip")
        if not known.all():
            rows[~known] = 0
        return rows, known

    def put(self, ids: Int64s, rows: Floats) -> None:
        """Stores or replaces rows; of more than the capacity, the last."""
        with self._lock:
            for i, row in zip(ids[-self._capacity :].tolist(), rows[-self._capacity :], strict=True):
                place = self._place.get(i)
                if place is None:
                    place = self._new_place(i)
                self._rows[place] = row

    def _new_place(self, i: int) -> int:
        if self._next == len(self._ids):
            if len(self._ids) < self._capacity:
                size = min(2 * len(self._ids), self._capacity)
                self._ids = np.resize(self._ids, size)
                self._rows = np.resize(self._rows, (size, self._rows.shape[1]))
            else:
                self._next = 0
        place = self._next
        if len(self._place) == self._capacity:
            del self._place[int(self._ids[place])]
        self._ids[place], self._place[i] = i, place
        self._next += 1
        return place

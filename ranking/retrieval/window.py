"""The posts of the last days as one contiguous matrix in memory: exact inner products, then top k.

Rows are in order of arrival; a replaced or removed post leaves a dead row behind until the next
compaction. One window belongs to one model version.
"""

from __future__ import annotations

import threading

import numpy as np

from ranking.types import Floats, Int64s

INITIAL_ROWS = 4096
# Dead rows cost a search as much as living ones, and closing them copies the whole matrix.
GAPS = 0.1


class RetrievalWindow:
    """Vectors of recent posts. Thread-safe: a search works on the arrays it found."""

    def __init__(self, dimensions: int) -> None:
        self._lock = threading.Lock()
        self._place: dict[int, int] = {}
        self._count = 0
        self._ids = np.zeros(INITIAL_ROWS, dtype=np.int64)
        self._created_ms = np.zeros(INITIAL_ROWS, dtype=np.int64)
        self._vectors = np.zeros((INITIAL_ROWS, dimensions), dtype=np.float32)

    def __len__(self) -> int:
        return len(self._place)

    def put(self, ids: Int64s, created_ms: Int64s, vectors: Floats) -> None:
        """Adds posts, or replaces those already there."""
        if not len(ids):
            return
        with self._lock:
            self._kill(ids)
            self._reserve(len(ids))
            span = slice(self._count, self._count + len(ids))
            self._ids[span], self._created_ms[span] = ids, created_ms
            self._vectors[span] = vectors
            self._place |= {post_id: span.start + i for i, post_id in enumerate(ids.tolist())}
            self._count = span.stop

    def remove(self, ids: Int64s) -> None:
        """Forgets posts; unknown ones are ignored."""
        with self._lock:
            self._kill(ids)

    def forget_before(self, created_ms: int) -> None:
        """Drops posts older than a moment, and closes the gaps once they are a good part of all rows."""
        with self._lock:
            is_old = (self._created_ms[: self._count] < created_ms) & (self._ids[: self._count] != 0)
            self._kill(self._ids[: self._count][is_old])
            if self._count - len(self._place) > GAPS * self._count:
                self._compact()

    def _kill(self, ids: Int64s) -> None:
        dead = [place for i in ids.tolist() if (place := self._place.pop(i, None)) is not None]
        # A search may hold these arrays; writing an id of 0 only hides the row from it.
        self._ids[dead] = 0

    def _places(self, ids: Int64s) -> list[int]:
        """Rows of these posts; unknown ones have none. A look-up for each, where comparing columns reads all rows."""
        return [place for i in ids.tolist() if (place := self._place.get(i)) is not None]

    def _reserve(self, more: int) -> None:
        if self._count + more > len(self._ids):
            self._compact(spare=max(more, len(self._place)))

    def _compact(self, *, spare: int = INITIAL_ROWS) -> None:
        """Fresh arrays with the living rows, in order of creation."""
        alive = np.flatnonzero(self._ids[: self._count])
        alive = alive[np.argsort(self._created_ms[alive], kind="stable")]
        ids, created_ms, vectors = self._ids[alive], self._created_ms[alive], self._vectors[alive]
        rows = len(alive) + max(spare, INITIAL_ROWS)
        self._ids = np.zeros(rows, dtype=np.int64)
        self._created_ms = np.zeros(rows, dtype=np.int64)
        self._vectors = np.zeros((rows, vectors.shape[1]), dtype=np.float32)
        self._count = len(alive)
        self._ids[: self._count] = ids
        self._created_ms[: self._count] = created_ms
        self._vectors[: self._count] = vectors
        self._place = {post_id: place for place, post_id in enumerate(ids.tolist())}

    def search(
        self,
        user_vector: Floats,
        *,
        k: int,
        newer_than_ms: int,
        exclude_ids: Int64s,
        only_ids: Int64s | None = None,
    ) -> tuple[Int64s, Floats]:
        """Ids and scores of the k best posts, descending."""
        with self._lock:
            count = self._count
            ids, created_ms, vectors = self._ids, self._created_ms, self._vectors
            excluded = self._places(exclude_ids)
            only = None if only_ids is None else self._places(only_ids)
        ids, created_ms = ids[:count], created_ms[:count]
        scores = vectors[:count] @ user_vector
        hidden = (ids == 0) | (created_ms < newer_than_ms)
        hidden[excluded] = True
        if only is not None:
            is_other = np.ones(count, dtype=bool)
            is_other[only] = False
            hidden |= is_other
        scores[hidden] = -np.inf
        k = min(k, count - int(hidden.sum()))
        if k <= 0:
            return np.zeros(0, np.int64), np.zeros(0, np.float32)
        best = np.argpartition(-scores, k - 1)[:k]
        best = best[np.lexsort((best, -scores[best]))]
        return ids[best], scores[best]

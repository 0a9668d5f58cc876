"""Content embeddings of posts: read in bulk from the store that Grox writes, kept in memory.

pgvector's binary form is read directly: a small header, then big-endian float32.
"""

from __future__ import annotations

import threading

import numpy as np
from django.db import connection

from posts.selectors.embeddings import SERVED_VERSION
from ranking.row_cache import RowCache
from ranking.types import Floats, Int64s

CONTENT_SIZE = 384
HEADER_BYTES = 4
CACHE_POSTS = 100_000

SQL = f"""
WITH served AS MATERIALIZED (SELECT {SERVED_VERSION} AS name)
SELECT s.name, e.post_id, vector_send(e.vector)
  FROM served s LEFT JOIN posts_postembedding e ON e.model = s.name AND e.post_id = ANY(%s)
 ORDER BY e.post_id
"""


def vectors(post_ids: Int64s) -> Floats:
    """[N, 384] in the order asked for, all of the version in force; zero for posts that have none yet."""
    return _read(post_ids)[1]


def _read(post_ids: Int64s) -> tuple[str, Floats]:
    """The version in force and its vectors."""
    out = np.zeros((len(post_ids), CONTENT_SIZE), dtype=np.float32)
    if not len(post_ids):
        return "", out
    with connection.cursor() as cursor:
        cursor.execute(SQL, [post_ids.tolist()])
        found = cursor.fetchall()
    version = str(found[0][0])
    found = [row for row in found if row[1] is not None]
    if not found:
        return version, out
    ids = np.array([row[1] for row in found], dtype=np.int64)
    data = b"".join(bytes(row[2])[HEADER_BYTES:] for row in found)
    values = np.frombuffer(data, dtype=">f4").reshape(len(found), CONTENT_SIZE)
    place = np.minimum(np.searchsorted(ids, post_ids), len(ids) - 1)
    known = ids[place] == post_ids
    out[known] = values[place[known]]
    return version, out


class ContentCache:
    """Vectors of the posts asked for, the first-loaded ones dropped when it is full. Thread-safe.

    Posts without a vector are not remembered: theirs may be written at any moment. All vectors in it are of
    one version; when another one is found to be in force, everything is forgotten.
    """

    def __init__(self, capacity: int = CACHE_POSTS) -> None:
        self._capacity = capacity
        self._lock = threading.Lock()
        self._current = ("", RowCache(CONTENT_SIZE, capacity=capacity))

    def get(self, post_ids: Int64s) -> Floats:
        """[N, 384] of one version; one query for those not in memory."""
        version, cache = self._current
        rows, known = cache.get(post_ids)
        if known.all():
            return rows
        missing = post_ids[~known]
        found_version, loaded = _read(missing)
        if found_version != version:
            cache = self._begin(found_version)
            if known.any():  # of the version before
                missing, known = post_ids, np.zeros(len(post_ids), dtype=bool)
                found_version, loaded = _read(missing)
                if found_version != self._current[0]:
                    return loaded
        found = loaded.any(axis=1)
        cache.put(missing[found], loaded[found])
        rows[~known] = loaded
        return rows

    def _begin(self, version: str) -> RowCache:
        """Forget another version's vectors; threads that notice together begin once."""
        with self._lock:
            if self._current[0] != version:
                self._current = (version, RowCache(CONTENT_SIZE, capacity=self._capacity))
            return self._current[1]

"""What posts are about, as all models here read it: embeddings that Grox writes, read in bulk, kept in memory.

Many replies say little of it ("Thank you, that is kind"), so a reply counts as half its own words, half the post that
began the thread:

    c = unit(e(reply) + e(root))

pgvector's binary form is read directly: a small header, then big-endian float32.
"""

from __future__ import annotations

import threading

import numpy as np

from posts.selectors.embeddings import SERVED_VERSION
from ranking.row_cache import RowCache
from ranking.types import Floats, Int64s
from xsocial.kernel import sql

CONTENT_SIZE = 384
VECTOR = np.dtype([("header", "V4"), ("values", ">f4", CONTENT_SIZE)])  # as pgvector sends it
CACHE_POSTS = 100_000
READ_AT_ONCE = 50_000  # one value of PostgreSQL holds all their vectors, and at most a gigabyte

SQL = f"""
WITH served AS MATERIALIZED (SELECT {SERVED_VERSION} AS name)
SELECT min(name), {sql.packed("post_id")}, string_agg(vector_send(vector), '') FROM (
    SELECT s.name, e.post_id,
           CASE WHEN root.vector IS NULL THEN e.vector ELSE l2_normalize(e.vector + root.vector) END AS vector
      FROM served s
      LEFT JOIN posts_postembedding e ON e.model = s.name AND e.post_id = ANY(%(ids)s::bigint[])
      LEFT JOIN posts_post p ON p.id = e.post_id AND p.conversation_id <> p.id
      LEFT JOIN posts_postembedding root ON root.model = s.name AND root.post_id = p.conversation_id
     ORDER BY e.post_id) AS found
"""


def vectors(post_ids: Int64s) -> Floats:
    """[N, 384] in the order asked for, all of the version in force; zero for posts that have none yet."""
    while True:
        parts = [_read(part) for part in np.array_split(post_ids, len(post_ids) // READ_AT_ONCE + 1)]
        if len({version for version, _ in parts}) == 1:  # else another one came into force meanwhile
            return np.concatenate([values for _, values in parts])


def _read(post_ids: Int64s) -> tuple[str, Floats]:
    """The version in force and its vectors."""
    out = np.zeros((len(post_ids), CONTENT_SIZE), dtype=np.float32)
    if not len(post_ids):
        return "", out
    version, packed_ids, packed_vectors = sql.row(SQL, {"ids": sql.bigints(post_ids)}) or ("", None, None)
    ids = sql.unpacked(packed_ids)
    if not len(ids):
        return version, out
    values = np.frombuffer(packed_vectors, dtype=VECTOR)["values"]
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

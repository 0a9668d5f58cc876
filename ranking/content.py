"""Content embeddings of posts: read in bulk from the store that Grox writes, kept in memory.

pgvector's binary form is read directly: a small header, then big-endian float32.
"""

from __future__ import annotations

import threading
from collections import OrderedDict

import numpy as np
from django.db import connection

from ranking.types import Floats, Int64s

CONTENT_SIZE = 384
HEADER_BYTES = 4
CACHE_POSTS = 100_000

SQL = """
SELECT DISTINCT ON (post_id) post_id, vector_send(vector)
  FROM posts_postembedding
 WHERE post_id = ANY(%s)
 ORDER BY post_id, created_at DESC
"""


def vectors(post_ids: Int64s) -> Floats:
    """[N, 384] in the order asked for; zero for posts that have none yet."""
    out = np.zeros((len(post_ids), CONTENT_SIZE), dtype=np.float32)
    if not len(post_ids):
        return out
    with connection.cursor() as cursor:
        cursor.execute(SQL, [post_ids.tolist()])
        found = cursor.fetchall()
    if not found:
        return out
    ids = np.array([row[0] for row in found], dtype=np.int64)
    data = b"".join(bytes(row[1])[HEADER_BYTES:] for row in found)
    values = np.frombuffer(data, dtype=">f4").reshape(len(found), CONTENT_SIZE)
    place = np.minimum(np.searchsorted(ids, post_ids), len(ids) - 1)
    known = ids[place] == post_ids
    out[known] = values[place[known]]
    return out


class ContentCache:
    """Vectors of the posts asked for lately, least recently used ones dropped. Thread-safe.

    Posts without a vector are not remembered: theirs may be written at any moment.
    """

    def __init__(self, capacity: int = CACHE_POSTS) -> None:
        self._capacity = capacity
        self._rows: OrderedDict[int, Floats] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, post_ids: Int64s) -> Floats:
        """[N, 384]; one query for those not in memory."""
        ids = post_ids.tolist()
        out = np.zeros((len(ids), CONTENT_SIZE), dtype=np.float32)
        with self._lock:
            rows = [self._rows.get(post_id) for post_id in ids]
        missing = []
        for place, row in enumerate(rows):
            if row is None:
                missing.append(place)
            else:
                out[place] = row
        if missing:
            out[missing] = self._load(post_ids[missing])
        return out

    def _load(self, post_ids: Int64s) -> Floats:
        loaded = vectors(post_ids)
        with self._lock:
            for post_id, row in zip(post_ids.tolist(), loaded, strict=True):
                if row.any():
                    self._rows[post_id] = row
            while len(self._rows) > self._capacity:
                self._rows.popitem(last=False)
        return loaded

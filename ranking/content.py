"""Content embeddings of posts: read in bulk from the store that Grox writes, kept in memory.

pgvector's binary form is read directly: a small header, then big-endian float32.
"""

from __future__ import annotations

import numpy as np
from django.db import connection

from ranking.row_cache import RowCache
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
    """Vectors of the posts asked for, the first-loaded ones dropped when it is full. Thread-safe.

    Posts without a vector are not remembered: theirs may be written at any moment.
    """

    def __init__(self, capacity: int = CACHE_POSTS) -> None:
        self._rows = RowCache(CONTENT_SIZE, capacity=capacity)

    def get(self, post_ids: Int64s) -> Floats:
        """[N, 384]; one query for those not in memory."""
        rows, known = self._rows.get(post_ids)
        if not known.all():
            missing = post_ids[~known]
            loaded = vectors(missing)
            found = loaded.any(axis=1)
            self._rows.put(missing[found], loaded[found])
            rows[~known] = loaded
        return rows

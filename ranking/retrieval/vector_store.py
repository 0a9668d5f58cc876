"""Candidate vectors in PostgreSQL: the durable store, and with HNSW the search of last resort."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import numpy as np
from django.db import connection, transaction

from ranking.types import Bools, Floats, Int64s
from xsocial.kernel import clock

UPSERT = """
INSERT INTO ranking_postvector (model_id, post_id, created_ms, vector, has_content, is_active, changed_at)
SELECT %s, u.post_id, u.created_ms, u.vector::vector, u.has_content, true, %s
  FROM unnest(%s::bigint[], %s::bigint[], %s::text[], %s::boolean[])
       AS u(post_id, created_ms, vector, has_content)
ON CONFLICT (model_id, post_id) DO UPDATE
   SET vector = excluded.vector, has_content = excluded.has_content,
       is_active = true, changed_at = excluded.changed_at
"""
CHANGES = """
SELECT post_id, created_ms, is_active, vector_send(vector), changed_at
  FROM ranking_postvector
 WHERE model_id = %s AND changed_at > %s AND created_ms >= %s
 ORDER BY changed_at
"""
SEARCH = """
SELECT post_id, -(vector <#> %s::vector)
  FROM ranking_postvector
 WHERE model_id = %s AND is_active AND created_ms >= %s AND NOT post_id = ANY(%s)
       AND (%s OR post_id = ANY(%s))
 ORDER BY vector <#> %s::vector
 LIMIT %s
"""
HEADER_BYTES = 4
MAX_EF_SEARCH = 1000


@dataclass(frozen=True)
class Changes:
    """Rows written since a moment; `is_active` false means: no longer to be retrieved."""

    ids: Int64s
    created_ms: Int64s
    is_active: Bools
    vectors: Floats
    newest: datetime | None


def _literal(vector: Floats) -> str:
    return "[" + ",".join(f"{value:.8g}" for value in vector.tolist()) + "]"


def write(model_id: int, *, ids: Int64s, created_ms: Int64s, vectors: Floats, has_content: Bools) -> None:
    """Inserts or replaces the vectors of posts under one model version."""
    if not len(ids):
        return
    with connection.cursor() as cursor:
        cursor.execute(
            UPSERT,
            [
                model_id,
                clock.now(),
                ids.tolist(),
                created_ms.tolist(),
                [_literal(vector) for vector in vectors],
                has_content.tolist(),
            ],
        )


def changes(model_id: int, *, since: datetime, created_after_ms: int, dimensions: int) -> Changes:
    """What was written since a moment, oldest first."""
    with connection.cursor() as cursor:
        cursor.execute(CHANGES, [model_id, since, created_after_ms])
        rows = cursor.fetchall()
    data = b"".join(bytes(row[3])[HEADER_BYTES:] for row in rows)
    return Changes(
        np.array([row[0] for row in rows], dtype=np.int64),
        np.array([row[1] for row in rows], dtype=np.int64),
        np.array([row[2] for row in rows], dtype=bool),
        np.frombuffer(data, dtype=">f4").astype(np.float32).reshape(len(rows), dimensions),
        rows[-1][4] if rows else None,
    )


def search(
    model_id: int,
    user_vector: Floats,
    *,
    k: int,
    newer_than_ms: int,
    exclude_ids: Int64s,
    only_ids: Int64s | None = None,
) -> tuple[Int64s, Floats]:
    """As `RetrievalWindow.search`, approximate for large stores."""
    literal = _literal(user_vector)
    only = [] if only_ids is None else only_ids.tolist()
    with transaction.atomic(), connection.cursor() as cursor:
        # Filters run after the index scan: keep scanning until k rows passed.
        cursor.execute("SET LOCAL hnsw.iterative_scan = strict_order")
        cursor.execute(f"SET LOCAL hnsw.ef_search = {min(max(2 * k, 40), MAX_EF_SEARCH)}")
        cursor.execute(
            SEARCH,
            [literal, model_id, newer_than_ms, exclude_ids.tolist(), only_ids is None, only, literal, k],
        )
        rows = cursor.fetchall()
    return (
        np.array([row[0] for row in rows], dtype=np.int64),
        np.array([row[1] for row in rows], dtype=np.float32),
    )


def author_ids(post_ids: Int64s) -> Int64s:
    """Author of each post; 0 for unknown ones."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT id, author_id FROM posts_post WHERE id = ANY(%s)", [post_ids.tolist()])
        found = dict(cursor.fetchall())
    return np.array([found.get(post_id, 0) for post_id in post_ids.tolist()], dtype=np.int64)

"""What a ranker's candidate tokens owe to the posts alone, computed when a post is indexed and kept per version.

A server reads what is stored when it loads a ranker, and what is new beside the traffic; so the first page
that asks about a post finds its part ready. Posts of the retrieval window count, replies too; what was
computed before the post had its content is computed again once it has.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import numpy as np
import torch
from django.db import connection

from posts.selectors.embeddings import SERVED_VERSION
from ranking import content
from ranking.models import PostProjection
from ranking.phoenix.tokens import CandidateTokens
from ranking.retrieval.indexer import BATCH, window_start_ms
from ranking.serving.checkpoint import Checkpoint
from ranking.types import Floats, Int64s
from xsocial.kernel import clock, ids

PENDING = f"""
SELECT p.id, p.author_id
  FROM posts_post p
  LEFT JOIN ranking_postprojection r ON r.post_id = p.id AND r.model_id = %(model)s
 WHERE p.id >= %(oldest)s AND p.repost_of_id IS NULL AND p.deleted_at IS NULL
   AND (r.id IS NULL OR (NOT r.has_content AND EXISTS (
        SELECT 1 FROM posts_postembedding e WHERE e.post_id = p.id AND e.model = {SERVED_VERSION})))
 ORDER BY p.id DESC
 LIMIT %(limit)s
"""
UPSERT = """
INSERT INTO ranking_postprojection (model_id, post_id, row, has_content, changed_at)
SELECT %s, u.post_id, u.row, u.has_content, %s
  FROM unnest(%s::bigint[], %s::bytea[], %s::boolean[]) AS u(post_id, row, has_content)
ON CONFLICT (model_id, post_id) DO UPDATE
   SET row = excluded.row, has_content = excluded.has_content, changed_at = excluded.changed_at
"""
# Without its content a projection is not final: servers compute it themselves until it is.
CHANGES = """
SELECT post_id, row, changed_at FROM ranking_postprojection
 WHERE model_id = %s AND changed_at > %s AND post_id >= %s AND has_content
 ORDER BY changed_at
"""


@dataclass(frozen=True)
class Stored:
    """Projections [N, D] by post, and when the newest was written."""

    ids: Int64s
    rows: Floats
    newest: datetime | None


def index_window(model_id: int, checkpoint: Checkpoint) -> int:
    """Writes every projection that is missing under a ranker's version; returns how many."""
    tokens = CandidateTokens(checkpoint.model, checkpoint.tables)
    total = written = _index_batch(model_id, tokens)
    while written == BATCH:
        written = _index_batch(model_id, tokens)
        total += written
    return total


@torch.inference_mode()
def _index_batch(model_id: int, tokens: CandidateTokens) -> int:
    with connection.cursor() as cursor:
        cursor.execute(PENDING, {"model": model_id, "oldest": _oldest(), "limit": BATCH})
        pending = np.array(cursor.fetchall(), dtype=np.int64).reshape(-1, 2)
        if not len(pending):
            return 0
        post_ids, author_ids = pending.T.copy()
        vectors = content.vectors(post_ids)
        rows = tokens.project(*(torch.from_numpy(each) for each in (post_ids, author_ids, vectors))).numpy()
        has_content = vectors.any(axis=1)
        written = [row.tobytes() for row in rows]
        cursor.execute(UPSERT, [model_id, clock.now(), post_ids.tolist(), written, has_content.tolist()])
    return len(post_ids)


def changes(model_id: int, *, since: datetime, size: int) -> Stored:
    """What was written since a moment, of posts in the window; `size` is the model's width."""
    with connection.cursor() as cursor:
        cursor.execute(CHANGES, [model_id, since, _oldest()])
        found = cursor.fetchall()
    data = b"".join(bytes(row) for _, row, _ in found)
    return Stored(
        np.array([post_id for post_id, _, _ in found], dtype=np.int64),
        np.frombuffer(data, dtype=np.float32).reshape(len(found), size),
        found[-1][2] if found else None,
    )


def forget_old(model_id: int) -> int:
    """Deletes what left the window; returns how many."""
    deleted, _ = PostProjection.objects.filter(model_id=model_id, post_id__lt=_oldest()).delete()
    return deleted


def _oldest() -> int:
    """Least id of a post in the window."""
    return ids.id_at(max(window_start_ms(), ids.EPOCH_MS))

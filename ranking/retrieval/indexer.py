"""Posts to candidate vectors: what is new, what got its content embedding, what strangers may no longer open.

It reconciles rather than remembers: each run asks the database which recent posts lack a vector of the
promoted model. Events only tell it when to run, so a lost one costs a moment, not a post.
"""

from __future__ import annotations

import numpy as np
import torch
from django.db import connection

from posts.selectors.embeddings import SERVED_VERSION
from posts.selectors.visible import openable
from ranking import content
from ranking.models import PostVector
from ranking.retrieval import vector_store
from ranking.serving.checkpoint import Checkpoint
from ranking.types import Floats, Int64s
from xsocial.kernel import clock, ids

WINDOW_HOURS = 48
BATCH = 2000
# Dead rows stay this long, so that every running server sees them go.
FORGET_AFTER_HOURS = 24

# A replacement for a vector made without content is due as soon as an embedding exists.
# Nobody is recommended what strangers may not open; an author who unlocks again comes back.
PENDING = f"""
SELECT p.id, p.author_id, (extract(epoch FROM p.created_at) * 1000)::bigint
  FROM posts_post p
  LEFT JOIN ranking_postvector v ON v.post_id = p.id AND v.model_id = %(model)s
 WHERE p.id >= %(oldest)s
   AND p.repost_of_id IS NULL AND p.in_reply_to_id IS NULL
   AND p.visibility = 'public' AND {openable(False)}
   AND (v.id IS NULL OR NOT v.is_active OR (NOT v.has_content AND EXISTS (
        SELECT 1 FROM posts_postembedding e WHERE e.post_id = p.id AND e.model = {SERVED_VERSION})))
 ORDER BY p.id DESC
 LIMIT %(limit)s
"""
GONE = f"""
UPDATE ranking_postvector v SET is_active = false, changed_at = %(now)s
 WHERE v.is_active AND v.model_id = %(model)s AND NOT EXISTS (
       SELECT 1 FROM posts_post p
        WHERE p.id = v.post_id AND p.visibility = 'public' AND {openable(False)})
"""


def window_start_ms() -> int:
    """Posts made before this moment are too old to be retrieved."""
    return clock.now_ms() - WINDOW_HOURS * 3_600_000


@torch.inference_mode()
def encode(checkpoint: Checkpoint, post_ids: Int64s, author_ids: Int64s, content_: Floats) -> Floats:
    """Unit vectors [N, D] of posts."""
    vectors = checkpoint.model.encode_posts(
        torch.from_numpy(post_ids),
        torch.from_numpy(author_ids),
        checkpoint.tables,
        content=torch.from_numpy(content_),
    )
    return vectors.numpy()


def index_window(model_id: int, checkpoint: Checkpoint) -> int:
    """Writes every vector that is missing under a model version; returns how many."""
    total = 0
    while written := _index_batch(model_id, checkpoint):
        total += written
    return total


def _index_batch(model_id: int, checkpoint: Checkpoint) -> int:
    oldest = ids.id_at(max(window_start_ms(), ids.EPOCH_MS))
    with connection.cursor() as cursor:
        cursor.execute(PENDING, {"model": model_id, "oldest": oldest, "now": clock.now(), "limit": BATCH})
        rows = cursor.fetchall()
    if not rows:
        return 0
    post_ids, author_ids, created_ms = np.array(rows, dtype=np.int64).T.copy()
    vectors = content.vectors(post_ids)
    vector_store.write(
        model_id,
        ids=post_ids,
        created_ms=created_ms,
        vectors=encode(checkpoint, post_ids, author_ids, vectors),
        has_content=vectors.any(axis=1),
    )
    return len(rows)


def retire_closed(model_id: int) -> int:
    """Marks the vectors of posts that are gone or no longer open to everybody; returns how many."""
    with connection.cursor() as cursor:
        cursor.execute(GONE, {"model": model_id, "now": clock.now()})
        return cursor.rowcount


def forget_old(model_id: int) -> int:
    """Deletes vectors that left the window a day ago; returns how many."""
    horizon = window_start_ms() - FORGET_AFTER_HOURS * 3_600_000
    deleted, _ = PostVector.objects.filter(model_id=model_id, created_ms__lt=horizon).delete()
    return deleted

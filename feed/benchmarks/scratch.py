"""A world of a given size in a database of its own, made for measuring and dropped afterwards.

It has what decides the speed of a page and nothing else: people, follows, two days of posts with
counters, labels and vectors, and for the measured viewers a history. Texts repeat.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
from django.db import connection, transaction

from accounts.models import Follow, User
from feed.simulation.bulk import bare_tables, copy_rows, snowflakes
from moderation.types import Label, LabelSource
from posts.models import Engagement, Post, PostCounts
from posts.models.embedding import CONTENT_DIMENSIONS, FIRST_VERSION
from posts.types import EngagementKind
from ranking.models import ModelVersion
from xsocial.kernel import clock

VIEWERS = 24
FOLLOWS = 1_000  # of each viewer measured
AROUND = 20  # of everybody else, all different
HISTORY = 400
VECTORS = 100_000  # the newest posts: what the retrieval window is budgeted for
SPAN_MS = 47 * 3_600_000
WORDS = ("harbour", "bread", "orbit", "violin", "glacier", "ledger", "saffron", "tram", "willow", "cobalt")

_LABELS = """
INSERT INTO moderation_postlabel
       (post_id, label, source, rule, version, evidence, evidence_hash, applied_at, lifted_reason)
SELECT id, %(label)s, %(source)s, '', '', '{}', '', now(), '' FROM posts_post ORDER BY id DESC LIMIT %(count)s
"""
_VECTORS = """
WITH sample AS (
    SELECT row_number() OVER () - 1 AS n, vector FROM (
        SELECT (SELECT array_agg(random() - 0.5) FROM generate_series(1, 64) WHERE g > 0)::vector AS vector
          FROM generate_series(1, 1000) AS g) AS made)
INSERT INTO ranking_postvector (model_id, post_id, created_ms, vector, has_content, is_active, changed_at)
SELECT %(model)s, p.id, (extract(epoch FROM p.created_at) * 1000)::bigint, s.vector, true, true, p.created_at
  FROM (SELECT id, created_at, row_number() OVER () AS n FROM posts_post ORDER BY id DESC LIMIT %(count)s) AS p
  JOIN sample s ON s.n = p.n %% 1000
"""
_CONTENT = """
WITH sample AS (
    SELECT row_number() OVER () - 1 AS n, l2_normalize(vector) AS vector FROM (
        SELECT (SELECT array_agg(random() - 0.5) FROM generate_series(1, %(size)s) WHERE g > 0)::vector AS vector
          FROM generate_series(1, 1000) AS g) AS made),
     read AS (
    (SELECT id FROM posts_post ORDER BY id DESC LIMIT %(count)s) UNION SELECT post_id FROM posts_engagement)
INSERT INTO posts_postembedding (model, post_id, vector, created_at)
SELECT %(model)s, p.id, s.vector, now()
  FROM (SELECT id, row_number() OVER () AS n FROM read) AS p
  JOIN sample s ON s.n = p.n %% 1000
"""
_PROJECTIONS = """
WITH sample AS (SELECT n - 1 AS n, row FROM unnest(%(rows)s::bytea[]) WITH ORDINALITY AS made(row, n))
INSERT INTO ranking_postprojection (model_id, post_id, row, has_content, changed_at)
SELECT %(model)s, p.id, s.row, true, p.created_at
  FROM (SELECT id, created_at, row_number() OVER () AS n FROM posts_post ORDER BY id DESC LIMIT %(count)s) AS p
  JOIN sample s ON s.n = p.n %% 1000
"""


@contextmanager
def world(posts: int, *, seed: int = 1) -> Iterator[float]:
    """Within the block the default database is a scratch one with this many posts, models included.

    Gives the seconds that it took to make.
    """
    models = list(ModelVersion.objects.filter(status=ModelVersion.Status.PROMOTED).values())
    real = connection.settings_dict["NAME"]
    connection.settings_dict.setdefault("TEST", {})["NAME"] = f"{real}_bench_{posts}"
    started = time.perf_counter()
    connection.creation.create_test_db(verbosity=0, autoclobber=True, serialize=False)
    try:
        with transaction.atomic(), bare_tables(User, Follow, Post, PostCounts, Engagement):
            fill(posts, np.random.default_rng(seed))
        _index(models)
        yield time.perf_counter() - started
    finally:
        scratch = connection.settings_dict["NAME"]
        connection.close()
        with connection._nodb_cursor() as cursor:  # threads of pools may still have theirs open
            cursor.execute(f'DROP DATABASE "{scratch}" WITH (FORCE)')
        connection.settings_dict["NAME"] = real


def fill(posts: int, rng: np.random.Generator) -> None:
    """Everything that pages read by COPY; a tenth as many people as posts, at least twice as many as one follows."""
    users = max(posts // 10, 2 * FOLLOWS)
    now_ms = clock.now_ms()
    user_ids = snowflakes(np.sort(now_ms - rng.integers(30, 700, users) * 86_400_000 - rng.integers(0, 10**7, users)))
    viewers = user_ids[:VIEWERS]
    followed = [rng.choice(user_ids[VIEWERS:], FOLLOWS, replace=False) for _ in viewers]
    copy_rows(
        User,
        users,
        id=user_ids,
        username=[f"person{number}" for number in range(users)],
        email=[f"person{number}@example.org" for number in range(users)],
        language=["en"] * users,
        following_count=np.where(np.arange(users) < VIEWERS, FOLLOWS, 0),
        followers_count=rng.integers(0, 5_000, users),
    )
    others = np.arange(VIEWERS, users)
    theirs = (others[:, None] + rng.choice(np.arange(1, users), AROUND, replace=False)) % users
    copy_rows(
        Follow,
        VIEWERS * FOLLOWS + theirs.size,
        follower_id=np.concatenate([np.repeat(viewers, FOLLOWS), np.repeat(user_ids[others], AROUND)]),
        followee_id=np.concatenate([*followed, user_ids[theirs].ravel()]),
    )
    created_ms = np.sort(now_ms - rng.integers(1_000, SPAN_MS, posts))
    post_ids, authors = snowflakes(created_ms), rng.choice(user_ids, posts)
    earlier = (np.arange(posts) * rng.random(posts)).astype(np.int64)
    is_reply = (rng.random(posts) < 0.25) & (earlier < np.arange(posts))
    texts = [" ".join(rng.choice(WORDS, 12)) for _ in range(500)]
    copy_rows(
        Post,
        posts,
        id=post_ids,
        author_id=authors,
        text=[texts[number % 500] for number in range(posts)],
        language=["en"] * posts,
        created_at=created_ms,
        in_reply_to_id=np.ma.masked_array(post_ids[earlier], mask=~is_reply),
        in_reply_to_user_id=np.ma.masked_array(authors[earlier], mask=~is_reply),
        conversation_id=np.where(is_reply, post_ids[earlier], post_ids),
    )
    copy_rows(
        PostCounts, posts, post_id=post_ids, favorites=rng.integers(0, 90, posts), views=rng.integers(0, 900, posts)
    )
    _give_histories(rng, viewers, post_ids, authors, created_ms)


def _give_histories(
    rng: np.random.Generator, viewers: np.ndarray, post_ids: np.ndarray, authors: np.ndarray, created_ms: np.ndarray
) -> None:
    rows = rng.integers(0, len(post_ids), len(viewers) * HISTORY)
    at_ms = created_ms[rows] + 500
    copy_rows(
        Engagement,
        len(rows),
        id=snowflakes(at_ms),
        user_id=np.repeat(viewers, HISTORY),
        post_id=post_ids[rows],
        author_id=authors[rows],
        kind=rng.choice([int(EngagementKind.CLICK), int(EngagementKind.OPEN_LINK)], len(rows)),
        created_at=at_ms,
    )


def _index(models: list[dict]) -> None:
    """The promoted models; for each of the newest posts what they store of it, its content and a label, and the
    content of what viewers reacted to. Nothing measured needs the HNSW indexes."""
    ModelVersion.objects.bulk_create(ModelVersion(**{**row, "parent_id": None}) for row in models)
    with connection.cursor() as cursor:
        cursor.execute("DROP INDEX ranking_vector_hnsw, posts_embedding_hnsw")
        cursor.execute(_CONTENT, {"model": FIRST_VERSION, "size": CONTENT_DIMENSIONS, "count": VECTORS})
        for row in models:
            if row["kind"] == ModelVersion.Kind.RETRIEVAL:
                cursor.execute(_VECTORS, {"model": row["id"], "count": VECTORS})
            else:
                projected = np.random.default_rng(0).normal(0, 0.1, (1000, row["config"]["emb_size"]))
                rows = [each.tobytes() for each in projected.astype(np.float32)]
                cursor.execute(_PROJECTIONS, {"model": row["id"], "count": VECTORS, "rows": rows})
        cursor.execute(_LABELS, {"label": str(Label.PTOS_REVIEWED), "source": str(LabelSource.GROX), "count": VECTORS})
        cursor.execute("ANALYZE")

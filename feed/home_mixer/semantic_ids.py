"""Residual quantisation of content embeddings into six codes, coarse to fine; and where codes are kept.

Level 1 is the nearest of 256 centroids; each further level codes what the levels before left over
(RQ-VAE's quantiser without its autoencoder, fitted by k-means). Two posts that share a prefix say
alike things, the more alike the longer it is.
"""

from __future__ import annotations

import threading
from functools import cache

import numpy as np
import zstandard
from django.db import connection
from threadpoolctl import threadpool_limits

from feed.home_mixer.candidate import SEMANTIC_LEVELS
from feed.models import Codebook
from posts.selectors.embeddings import SERVED_VERSION
from ranking import services as ranking
from xsocial.kernel import ids, sql

CODES = 256
LEAST_POSTS = 2 * CODES  # fewer say nothing about what there is
FITTED_TO = 16_384
ROUNDS = 15
CHUNK = 4_096
CACHED = 200_000
UNKNOWN = -1
PERIOD_MS = 14 * 86_400_000  # older posts are on no page

UNCODED_SQL = f"""
SELECT e.post_id FROM posts_postembedding e
  LEFT JOIN feed_semanticid s ON s.post_id = e.post_id AND s.codebook_id = %s
 WHERE e.model = {SERVED_VERSION} AND e.post_id >= %s AND s.post_id IS NULL ORDER BY e.post_id DESC LIMIT %s
"""
CODES_SQL = "SELECT post_id, codes FROM feed_semanticid WHERE post_id = ANY(%(ids)s::bigint[])"
STORE_SQL = """
INSERT INTO feed_semanticid (post_id, codes, codebook_id)
SELECT u.post_id, u.codes, %s FROM unnest(%s::bigint[], %s::bytea[]) AS u(post_id, codes)
  JOIN posts_post p ON p.id = u.post_id
    ON CONFLICT (post_id) DO UPDATE SET codes = excluded.codes, codebook_id = excluded.codebook_id
"""


def fit(vectors: np.ndarray, *, seed: int = 0) -> np.ndarray:
    """Centroids [levels, codes, dimensions] for vectors [n, dimensions]; n is at least the number of codes."""
    from sklearn.cluster import KMeans  # here: it takes seconds to load, and web processes never fit

    residual, levels = vectors.astype(np.float32), []
    with threadpool_limits(1):  # beside a busy web process more threads mostly wait for each other
        for level in range(SEMANTIC_LEVELS):
            means = KMeans(CODES, init="random", n_init=1, max_iter=ROUNDS, random_state=seed + level)
            nearest = means.fit_predict(residual)
            levels.append(means.cluster_centers_.astype(np.float32))
            residual = residual - levels[-1][nearest]
    return np.stack(levels)


def encode(vectors: np.ndarray, centroids: np.ndarray) -> np.ndarray:
    """Codes [n, levels] of vectors [n, dimensions]."""
    residual = vectors.astype(np.float32).copy()
    codes = np.zeros((len(vectors), len(centroids)), np.int64)
    for level, means in enumerate(centroids):
        # |x - m|^2 without the term that is the same for every m
        distance = (means**2).sum(axis=1) - 2.0 * residual @ means.T
        codes[:, level] = distance.argmin(axis=1)
        residual -= means[codes[:, level]]
    return codes


def refit(*, now_ms: int) -> Codebook | None:
    """A new codebook from recent posts, or None when there are too few of them."""
    post_ids = _uncoded(0, now_ms=now_ms, limit=FITTED_TO)
    vectors = _vectors(post_ids)
    vectors = vectors[vectors.any(axis=1)]
    if len(vectors) < LEAST_POSTS:
        return None
    packed = zstandard.ZstdCompressor().compress(fit(vectors).astype("<f2").tobytes())
    return Codebook.objects.create(centroids=packed, posts=len(vectors))


def code_posts(*, now_ms: int) -> int:
    """Code recent posts that have an embedding and no codes of the newest codebook; returns how many."""
    book = Codebook.objects.order_by("-version").first() or refit(now_ms=now_ms)
    if book is None:
        return 0
    centroids, done = _centroids(book), 0
    while len(post_ids := _uncoded(book.version, now_ms=now_ms, limit=CHUNK)):
        codes = encode(_vectors(post_ids), centroids).astype("<i2")
        with connection.cursor() as cursor:
            cursor.execute(STORE_SQL, [book.version, post_ids.tolist(), [row.tobytes() for row in codes]])
            stored = cursor.rowcount
        done += stored
        if stored < len(post_ids):  # the rest are embeddings of posts that were removed meanwhile
            break
    return done


class CodeCache:
    """Codes of posts met lately. Posts without codes are asked for again. Thread-safe."""

    def __init__(self, capacity: int = CACHED) -> None:
        self._lock = threading.Lock()
        self._capacity = capacity
        self._known: dict[int, bytes] = {}

    def get(self, post_ids: np.ndarray) -> np.ndarray:
        """Codes [n, levels], -1 where unknown. At most one query."""
        wanted = post_ids.tolist()
        with self._lock:
            found = {post_id: self._known.get(post_id) for post_id in wanted}
        missing = [post_id for post_id, codes in found.items() if codes is None]
        if missing:
            found |= self._read(missing)
        blank = np.full(SEMANTIC_LEVELS, UNKNOWN, "<i2").tobytes()
        rows = b"".join(found[post_id] or blank for post_id in wanted)
        return np.frombuffer(rows, "<i2").reshape(-1, SEMANTIC_LEVELS).astype(np.int64)

    def _read(self, post_ids: list[int]) -> dict[int, bytes]:
        fresh = dict(sql.rows(CODES_SQL, {"ids": sql.bigints(post_ids)}))
        with self._lock:
            if len(self._known) + len(fresh) > self._capacity:
                self._known.clear()
            self._known |= fresh
        return fresh


@cache
def shared() -> CodeCache:
    """This process's cache."""
    return CodeCache()


def _centroids(book: Codebook) -> np.ndarray:
    raw = zstandard.ZstdDecompressor().decompress(bytes(book.centroids))
    return np.frombuffer(raw, "<f2").reshape(SEMANTIC_LEVELS, CODES, -1).astype(np.float32)


def _vectors(post_ids: np.ndarray) -> np.ndarray:
    return ranking.content_vectors(post_ids) if len(post_ids) else np.zeros((0, 1), np.float32)


def _uncoded(version: int, *, now_ms: int, limit: int) -> np.ndarray:
    with connection.cursor() as cursor:
        cursor.execute(UNCODED_SQL, [version, ids.id_at(now_ms - PERIOD_MS), limit])
        return np.array([row[0] for row in cursor.fetchall()], np.int64)

"""What many like now. The same for everybody, so it is counted every two minutes and not for each page."""

from __future__ import annotations

import numpy as np

from feed.home_mixer.params import Params
from posts.selectors import hydration
from xsocial.kernel import clock, ids, redis
from xsocial.kernel.redis import RedisError

KEY = "feed:popular"
KEPT = 2_000  # posts counted; a page may ask for fewer
KEPT_S = 600  # a count older than this is worth less than a new one


def count() -> int:
    """Count now; returns how many posts were kept. Raises RedisError."""
    oldest_ms = clock.now_ms() - 1_000 * Params().max_post_age_s
    found = hydration.popular_ids(newer_than_ms=oldest_ms, limit=KEPT)
    redis.client("cache").set(KEY, found.astype("<i8").tobytes(), ex=KEPT_S)
    return len(found)


def newer_than(oldest_ms: int, *, limit: int) -> np.ndarray:
    """Ids of popular posts, best first: as counted last, or from the database where nobody counts."""
    try:
        counted = redis.client("cache").get(KEY)
    except RedisError:
        counted = None
    if counted is None:
        return hydration.popular_ids(newer_than_ms=oldest_ms, limit=limit)
    found = np.frombuffer(counted, "<i8").astype(np.int64)
    return found[found >= ids.id_at(oldest_ms)][:limit]

"""Scored candidates kept for the next page: columns as JSON, zstd, in Valkey."""

from __future__ import annotations

import numpy as np
import orjson
import zstandard

from feed.candidate_pipeline import Batch
from feed.home_mixer.candidate import SCHEMA
from xsocial.kernel import redis

LEVEL = 6
# Scores are restarted from the predictions, so what the ranking adds later is not kept.
COLUMNS = (
    "post_id",
    "author_id",
    "in_reply_to_id",
    "repost_of_id",
    "repost_of_user_id",
    "quote_of_id",
    "quote_of_user_id",
    "ancestors",
    "served_type",
    "source_rank",
    "source_score",
    "in_network",
    "text",
    "quoted_author_blocks_viewer",
    "quoted_video_ms",
    "video_ms",
    "has_media",
    "subscription_author_id",
    "language",
    "author_followers",
    "author_name",
    "author_is_adult",
    "author_follows_viewer",
    "is_mutual_follow_author",
    "repost_of_name",
    "author_blocks_viewer",
    "favorites",
    "replies",
    "reposts",
    "quotes",
    "views",
    "screened",
    "standing",
    "semantic_id",
    "heads",
    "raw_heads",
    "prediction_id",
    "scored_at_ms",
    "model",
    "weighted_score",
)


def store(key: str, batch: Batch, *, ttl_s: int) -> None:
    """Keep these candidates. Raises RedisError."""
    body = {name: _plain(batch[name]) for name in COLUMNS}
    packed = zstandard.ZstdCompressor(level=LEVEL).compress(orjson.dumps(body, option=orjson.OPT_SERIALIZE_NUMPY))
    redis.client("cache").set(key, packed, ex=ttl_s)


def load(key: str) -> Batch | None:
    """The candidates under this key, or None. Raises RedisError, and ValueError for bad data."""
    packed = redis.client("cache").get(key)
    if not packed:
        return None
    body = orjson.loads(zstandard.ZstdDecompressor().decompress(packed))
    return Batch.of(SCHEMA, **{name: _column(name, values) for name, values in body.items()})


def _plain(column: np.ndarray) -> np.ndarray | list:
    return column.tolist() if column.dtype == object else np.ascontiguousarray(column)


def _column(name: str, values: list) -> np.ndarray | list:
    column = SCHEMA[name]
    if column.dtype is object:
        return [tuple(value) if isinstance(value, list) else value for value in values]
    if column.dtype is np.float64:  # JSON has no NaN: it comes back as null
        return np.array(values, dtype=np.float64)
    return np.array(values, dtype=column.dtype)

"""Scored candidates kept for the next page: packed columns, compressed, in Valkey."""

from __future__ import annotations

import msgpack
import numpy as np
import zstandard

from feed.candidate_pipeline import Batch
from feed.home_mixer.candidate import SCHEMA
from xsocial.kernel import redis

LEVEL = 3  # upstream's 6 takes four times the CPU for 1 % less
# Scores are restarted from the predictions, so what the ranking adds later is not kept.
COLUMNS = (
    "post_id",
    "author_id",
    "in_reply_to_id",
    "is_reply",
    "repost_of_id",
    "repost_of_user_id",
    "quote_of_id",
    "quote_of_user_id",
    "is_quote",
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
    body = msgpack.packb({name: _plain(batch[name]) for name in COLUMNS})
    redis.client("cache").set(key, zstandard.ZstdCompressor(level=LEVEL).compress(body), ex=ttl_s)


def load(key: str) -> Batch | None:
    """The candidates under this key, or None. Raises RedisError, and ValueError for bad data."""
    packed = redis.client("cache").get(key)
    if not packed:
        return None
    body = msgpack.unpackb(zstandard.ZstdDecompressor().decompress(packed))
    return Batch.of(SCHEMA, **{name: _column(name, value) for name, value in body.items()})


def _plain(column: np.ndarray) -> list | dict:
    """Objects as they are, numbers as their bytes: reading them back is no work."""
    if column.dtype == object:
        return column.tolist()
    return {"type": column.dtype.str, "shape": column.shape, "bytes": np.ascontiguousarray(column).tobytes()}


def _column(name: str, value: list | dict) -> np.ndarray | list:
    if isinstance(value, dict):
        numbers = np.frombuffer(value["bytes"], value["type"]).reshape(value["shape"])
        return numbers.astype(SCHEMA[name].dtype)
    return [tuple(each) if isinstance(each, list) else each for each in value]

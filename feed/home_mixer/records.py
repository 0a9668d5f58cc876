"""Logs of what the feed did, for training and analysis: bounded streams in Valkey, newest kept.

Upstream writes them to Kafka. A record is a plain dictionary; ids in it are numbers.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import orjson

from xsocial.kernel import redis

RERANKING, EXPERIMENTS, SERVED, ADS = "reranking", "experiments", "served", "ads"
LOGS = (RERANKING, EXPERIMENTS, SERVED, ADS)
KEPT = 20_000


def append(log: str, records: Iterable[Mapping[str, Any]]) -> int:
    """Write records at the end of a log; returns how many. Raises RedisError."""
    bodies = [orjson.dumps(record, option=orjson.OPT_SERIALIZE_NUMPY) for record in records]
    if bodies:
        with redis.client("events").pipeline(transaction=False) as pipe:
            for body in bodies:
                pipe.xadd(_key(log), {"r": body}, maxlen=KEPT, approximate=True)
            pipe.execute()
    return len(bodies)


def newest(log: str, count: int) -> Iterator[dict[str, Any]]:
    """The last records of a log, newest first. Raises RedisError."""
    for _, fields in redis.client("events").xrevrange(_key(log), count=count):
        yield orjson.loads(fields[b"r"])


def _key(log: str) -> str:
    return f"feed:log:{log}"

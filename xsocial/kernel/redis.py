"""The one place that opens connections to Valkey.

Clients are kept per process; short timeouts make a dead Valkey cheap for whoever can do without.
"""

from functools import cache

import redis
from django.conf import settings

RedisError = redis.RedisError
ResponseError = redis.ResponseError


@cache
def _client(url: str, timeout_s: float | None) -> redis.Redis:
    return redis.Redis.from_url(
        url, socket_connect_timeout=settings.REDIS_TIMEOUT_S, socket_timeout=timeout_s, health_check_interval=30
    )


def url(db: str) -> str:
    """The address of the Valkey database for one use: broker, results, cache, channels, events."""
    return f"{settings.REDIS_BASE}/{settings.REDIS_NUMBERS[db] + settings.REDIS_DB_OFFSET}"


def client(db: str = "events") -> redis.Redis:
    """The shared client of one database. Answers are bytes. Calls raise `RedisError`."""
    return _client(url(db), settings.REDIS_TIMEOUT_S)


def blocking_client(db: str = "events") -> redis.Redis:
    """A client for readers that wait: its calls may block longer than the usual time-out."""
    return _client(url(db), None)

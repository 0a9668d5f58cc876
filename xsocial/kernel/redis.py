"""The one place that opens connections to Valkey.

Clients are kept per process. A dead Valkey is cheap for whoever can do without: time-outs are
short, and after one nothing asks again for a few seconds, so that a page with many questions
waits once and not for each.
"""

import time
from functools import cache
from typing import Any

import redis
from django.conf import settings
from redis.backoff import NoBackoff
from redis.retry import Retry

RedisError = redis.RedisError
ResponseError = redis.ResponseError


#: How long nothing is asked after a time-out, in seconds.
PAUSE_S = 5.0


class Breaker:
    """Open for `PAUSE_S` after a time-out. One per process: there is one Valkey."""

    def __init__(self) -> None:
        self._closed_at = 0.0

    def trip(self) -> None:
        self._closed_at = time.monotonic() + PAUSE_S

    def reset(self) -> None:
        self._closed_at = 0.0

    def check(self) -> None:
        """Raise ConnectionError while open."""
        if time.monotonic() < self._closed_at:
            raise redis.ConnectionError("Valkey did not answer in time a moment ago.")


breaker = Breaker()


class GuardedConnection(redis.Connection):
    """A connection that trips the breaker on a time-out and keeps quiet while it is open."""

    def connect(self) -> None:
        breaker.check()
        try:
            super().connect()
        except redis.TimeoutError:
            breaker.trip()
            raise

    def send_packed_command(self, command: Any, check_health: bool = True) -> None:
        breaker.check()
        super().send_packed_command(command, check_health)

    def read_response(self, *args: Any, **options: Any) -> Any:
        try:
            return super().read_response(*args, **options)
        except redis.TimeoutError:
            breaker.trip()
            raise


@cache
def _client(url: str, timeout_s: float | None) -> redis.Redis:
    return redis.Redis.from_url(
        url,
        connection_class=redis.Connection if timeout_s is None else GuardedConnection,
        socket_connect_timeout=settings.REDIS_TIMEOUT_S,
        socket_timeout=timeout_s,
        health_check_interval=30,
        # Once more, at once: a connection kept over a restart of the server is stale.
        retry=Retry(NoBackoff(), 1, supported_errors=(redis.ConnectionError,)),
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

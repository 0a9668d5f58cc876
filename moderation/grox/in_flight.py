"""How many batches are being worked on, counted in Valkey, so that all dispatchers and workers agree.

A batch that is never reported back, because its worker was killed, stops counting after a while.
"""

from contextlib import suppress

from xsocial.kernel import clock, redis

KEY = "grox:in_flight"
FORGOTTEN_AFTER_MS = 10 * 60 * 1000


def count() -> int:
    """Batches in the queue or in a worker."""
    store = redis.client("broker")
    store.zremrangebyscore(KEY, 0, clock.now_ms() - FORGOTTEN_AFTER_MS)
    return int(store.zcard(KEY))


def begin(message_id: str) -> None:
    """A batch was sent."""
    redis.client("broker").zadd(KEY, {message_id: clock.now_ms()})


def end(message_id: str) -> None:
    """A batch was worked on to its end, well or badly. Without the store it is forgotten in time."""
    with suppress(redis.RedisError):
        redis.client("broker").zrem(KEY, message_id)

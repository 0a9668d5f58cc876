"""When a viewer asked for the page: the last ten times that were not polling."""

from xsocial.kernel import redis

KEPT = 10


def _key(user_id: int) -> str:
    return f"feed:reqts:{user_id}"


def load(user_id: int) -> tuple[int, ...]:
    """Milliseconds since 1970, newest first. Raises RedisError."""
    return tuple(int(value) for value in redis.client("cache").lrange(_key(user_id), 0, KEPT - 1))


def add(user_id: int, at_ms: int) -> None:
    """Put a time in front and keep ten. Raises RedisError."""
    with redis.client("cache").pipeline() as pipe:
        pipe.lpush(_key(user_id), at_ms).ltrim(_key(user_id), 0, KEPT - 1).execute()

"""When a viewer asked for a page: the last ten times For You did without polling, and Following's last."""

from xsocial.kernel import redis

KEPT = 10


def _key(user_id: int) -> str:
    return f"feed:reqts:{user_id}"


def _following_key(user_id: int) -> str:
    return f"{_key(user_id)}:following"


def load(user_id: int) -> tuple[tuple[int, ...], int]:
    """Milliseconds since 1970: For You's times, newest first, and Following's, 0 for never. Raises RedisError."""
    with redis.client("cache").pipeline(transaction=False) as pipe:
        times, following = pipe.lrange(_key(user_id), 0, KEPT - 1).get(_following_key(user_id)).execute()
    return tuple(int(value) for value in times), int(following or 0)


def add(user_id: int, at_ms: int) -> None:
    """Put a time in front and keep ten. Raises RedisError."""
    with redis.client("cache").pipeline() as pipe:
        pipe.lpush(_key(user_id), at_ms).ltrim(_key(user_id), 0, KEPT - 1).execute()


def note_following(user_id: int, at_ms: int) -> None:
    """The viewer looked at Following. Raises RedisError."""
    redis.client("cache").set(_following_key(user_id), at_ms)

"""A fixed-window limit on Valkey: one atomic round trip per hit.

It fails open: without Valkey everything is allowed, and counted, because a lost cache must not
lock people out.
"""

from dataclasses import dataclass

from xsocial.kernel import clock, metrics, redis

# Count, and start the window with the first hit. The script runs as one step on the server.
_HIT = """
local count = redis.call('INCR', KEYS[1])
if count == 1 then redis.call('EXPIRE', KEYS[1], ARGV[1]) end
return count
"""


@dataclass(frozen=True)
class Allowance:
    """What is left after a hit. `reset_ms` is when the window ends, in milliseconds since 1970."""

    is_allowed: bool
    limit: int
    remaining: int
    reset_ms: int


def hit(scope: str, key: str, limit: int, window_s: int) -> Allowance:
    """Count one use of `key` in `scope`; allowed while the window holds at most `limit`."""
    window_ms = window_s * 1000
    window = clock.now_ms() // window_ms
    name = f"rate:{scope}:{key}:{window}"
    try:
        used = int(redis.client("cache").eval(_HIT, 1, name, window_s + 1))
    except redis.RedisError:
        metrics.counter("rate_limit_failed_open", "Hits allowed because Valkey was away", ("scope",)).labels(
            scope
        ).inc()
        used = 0
    return Allowance(
        is_allowed=used <= limit, limit=limit, remaining=max(0, limit - used), reset_ms=(window + 1) * window_ms
    )

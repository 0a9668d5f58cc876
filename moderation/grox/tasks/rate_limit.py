"""A window in which a plan looks at a post only once. Not a quota."""

from moderation.grox.engine import SkipTask, Task
from moderation.grox.payload import Context, Stream
from xsocial.kernel import metrics, redis

WINDOW_S = 60


def _key(family: str, context: Context) -> str:
    """The closer look at popular posts has a window of its own."""
    if context.payload.stream is Stream.SAFETY_PTOS_DELUXE:
        family = f"{family}_deluxe"
    return f"grox:rl:{family}:{context.payload.post_id}"


class RateLimit(Task):
    """Passes a post at first sight and skips it for 60 s. An edited one is always new, as is one whose media were read.

    Retries of a failed payload pass, because a failing plan gives its window back; so does a message
    delivered again after its worker died, because the window knows whose it is.
    """

    attempts = 1

    def __init__(self, family: str) -> None:
        super().__init__()
        self._family = family

    def run(self, context: Context) -> None:
        if context.payload.stream in (Stream.EDITED, Stream.MEDIA_READ):
            return
        key, mine = _key(self._family, context), context.payload.run_id.encode()
        try:
            store = redis.client("cache")
            is_open = store.set(key, mine, nx=True, ex=WINDOW_S) or (mine and store.get(key) == mine)
        except redis.RedisError:
            return  # without the store a post may be looked at twice, which does no harm
        metrics.counter("grox_rate_limit", "Looks at the window", ("plan", "passed")).labels(
            self._family, str(bool(is_open)).lower()
        ).inc()
        if not is_open:
            raise SkipTask("rate_limited")

    def release(self, context: Context) -> None:
        """Forget that the post was seen."""
        try:
            redis.client("cache").delete(_key(self._family, context))
        except redis.RedisError:
            return  # the window ends by itself

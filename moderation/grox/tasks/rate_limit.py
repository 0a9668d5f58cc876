"""A window in which a plan looks at a post only once. Not a quota."""

from collections.abc import Sequence

from moderation.grox.engine import BatchTask
from moderation.grox.payload import Context, Stream
from xsocial.kernel import metrics, redis

WINDOW_S = 60


def _key(family: str, context: Context) -> str:
    """The closer look at popular posts has a window of its own."""
    if context.payload.stream is Stream.SAFETY_PTOS_DELUXE:
        family = f"{family}_deluxe"
    return f"grox:rl:{family}:{context.payload.post_id}"


class RateLimit(BatchTask):
    """Passes a post at first sight and skips it for 60 s. An edited one is always new, as is one whose media were read.

    Retries of a failed payload pass, because a failing plan gives its window back; so does a message
    delivered again after its worker died, because the window knows whose it is.
    """

    attempts = 1

    def __init__(self, family: str) -> None:
        super().__init__()
        self._family = family

    def run_batch(self, contexts: Sequence[Context]) -> dict[int, str]:
        limited = [context for context in contexts if context.payload.stream not in (Stream.EDITED, Stream.MEDIA_READ)]
        try:
            is_open = self._look(limited)
        except redis.RedisError:
            return {}  # without the store a post may be looked at twice, which does no harm
        count = metrics.counter("grox_rate_limit", "Looks at the window", ("plan", "passed"))
        for each in is_open:
            count.labels(self._family, str(each).lower()).inc()
        return {c.payload.post_id: "rate_limited" for c, each in zip(limited, is_open, strict=True) if not each}

    def _look(self, contexts: Sequence[Context]) -> list[bool]:
        """Open windows; tells which of them were not open before, or were opened by the same message."""
        pipe = redis.client("cache").pipeline(transaction=False)
        for context in contexts:
            key = _key(self._family, context)
            pipe.set(key, context.payload.run_id, nx=True, ex=WINDOW_S)
            pipe.get(key)
        answers = pipe.execute()
        holders = zip(contexts, answers[::2], answers[1::2], strict=True)
        return [
            bool(is_new) or (bool(context.payload.run_id) and holder == context.payload.run_id.encode())
            for context, is_new, holder in holders
        ]

    def release(self, context: Context) -> None:
        """Forget that the post was seen."""
        try:
            redis.client("cache").delete(_key(self._family, context))
        except redis.RedisError:
            return  # the window ends by itself

"""The endpoint itself: one question, one answer, within a time and a budget; or a clear refusal.

After three failures in a row nothing is asked for half a minute. Whoever asks falls back meanwhile.
"""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.conf import settings

from xsocial.kernel import clock, metrics, redis

FAILURES_TO_OPEN = 3
OPEN_S = 30.0
MAX_ANSWER_TOKENS = 1_024
TEMPERATURE = 1e-6  # as published: as good as deterministic
BUDGET_KEPT_S = 2 * 24 * 3600


class Unavailable(Exception):
    """The endpoint cannot be asked now: no answer in time, an error, an open breaker, a spent budget."""


@dataclass
class Breaker:
    """Closed until `FAILURES_TO_OPEN` failures in a row, then open for `OPEN_S`. One per process."""

    failures: int = 0
    opened_at: float = 0.0

    def check(self) -> None:
        if self.failures >= FAILURES_TO_OPEN and time.monotonic() - self.opened_at < OPEN_S:
            raise Unavailable("breaker is open")

    def failed(self) -> None:
        self.failures += 1
        self.opened_at = time.monotonic()

    def succeeded(self) -> None:
        self.failures = 0


breaker = Breaker()


def is_configured() -> bool:
    """Whether an endpoint is set."""
    return bool(settings.GROX_LLM_URL)


def ask(system: str, parts: Sequence[dict[str, Any]]) -> str:
    """Return the model's answer to a system prompt and the parts of one user message. Raise Unavailable."""
    count = metrics.counter("grox_llm_calls", "Questions to the chat endpoint", ("outcome",))
    try:
        breaker.check()
        _spend()
        answer = asyncio.run(_answer(system, list(parts)))
    except Unavailable as refusal:
        count.labels(str(refusal)).inc()
        raise
    count.labels("answered").inc()
    return answer


def _spend() -> None:
    """Count one call against the day's budget."""
    key = f"grox:llm:{clock.now():%Y%m%d}"
    try:
        store = redis.client("cache")
        spent = int(store.incr(key))
        if spent == 1:
            store.expire(key, BUDGET_KEPT_S)
    except redis.RedisError as error:
        raise Unavailable("budget is unknown") from error
    if spent > settings.GROX_LLM_CALLS_PER_DAY:
        raise Unavailable("budget is spent")


async def _answer(system: str, parts: list[dict[str, Any]]) -> str:
    from openai import AsyncOpenAI, OpenAIError

    try:
        async with (
            asyncio.timeout(settings.GROX_LLM_TIMEOUT_S),
            AsyncOpenAI(
                base_url=settings.GROX_LLM_URL, api_key=settings.GROX_LLM_KEY or "none", max_retries=0
            ) as client,
        ):
            completion = await client.chat.completions.create(
                model=settings.GROX_LLM_MODEL,
                messages=[{"role": "system", "content": system}, {"role": "user", "content": parts}],
                response_format={"type": "json_object"},
                temperature=TEMPERATURE,
                max_tokens=MAX_ANSWER_TOKENS,
            )
            answer = completion.choices[0].message.content or ""
    except TimeoutError as error:
        breaker.failed()
        raise Unavailable("no answer in time") from error
    # the client hands on whatever a broken server makes of its own types
    except (OpenAIError, AttributeError, IndexError, TypeError, ValueError) as error:
        breaker.failed()
        raise Unavailable(f"endpoint failed: {type(error).__name__}") from error
    breaker.succeeded()
    return answer

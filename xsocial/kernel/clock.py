"""The only source of "now", so that any moment can be replayed.

A fixed moment is bound to the context, hence to the thread or the task that fixed it.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime, timedelta

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)

_fixed: ContextVar[datetime | None] = ContextVar("fixed_now", default=None)


def now() -> datetime:
    """The current moment, aware, UTC."""
    return _fixed.get() or datetime.now(UTC)


def now_ms() -> int:
    """The current moment in whole milliseconds since 1970."""
    return to_ms(now())


def to_ms(moment: datetime) -> int:
    """An aware datetime as whole milliseconds since 1970, rounded down."""
    return (moment - EPOCH) // _MILLISECOND


def from_ms(ms: int) -> datetime:
    """Whole milliseconds since 1970 as an aware datetime, UTC."""
    return EPOCH + ms * _MILLISECOND


@contextmanager
def fixed(moment: datetime) -> Iterator[None]:
    """Hold the clock at one aware moment inside the block; blocks nest."""
    if moment.tzinfo is None:
        raise ValueError("a fixed moment must be aware")
    token = _fixed.set(moment.astimezone(UTC))
    try:
        yield
    finally:
        _fixed.reset(token)

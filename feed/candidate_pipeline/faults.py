"""The one place that catches a failing component and records it."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from .deadlines import Cancelled

log = logging.getLogger(__name__)

TRACEBACK_EVERY_S = 60.0
MAX_SAID = 500  # some errors quote all they could not read
_last_traceback: dict[str, float] = {}


class TimedOut(Exception):
    """A component did not answer within its budget."""


class BadAnswer(Exception):
    """A component broke its contract: wrong length, or a column it did not declare."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one call gave: a value or an error, and how long it took."""

    value: Any = None
    error: Exception | None = None
    ms: float = 0.0


def guarded(name: str, call: Callable[[], Any]) -> Outcome:
    """Call a component; whatever it raises becomes an error beside everyone else's answers."""
    started = time.perf_counter()
    try:
        value, error = call(), None
    except Exception as caught:
        value, error = None, caught
        report(name, caught)
    return Outcome(value, error, (time.perf_counter() - started) * 1000)


def report(name: str, error: Exception) -> None:
    """Log a failure: one line each time, the traceback at most once a minute per component.

    Being late, a caller who has gone and an error whose ``code`` says "unavailable" are no mystery and get none.
    """
    now = time.monotonic()
    is_mystery = not isinstance(error, (TimedOut, Cancelled)) and getattr(error, "code", "") != "unavailable"
    due = is_mystery and now - _last_traceback.get(name, -TRACEBACK_EVERY_S) >= TRACEBACK_EVERY_S
    if due:
        _last_traceback[name] = now
    log.warning("%s failed: %s", name, repr(error)[:MAX_SAID], exc_info=error if due else None)

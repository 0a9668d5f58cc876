"""Where components run: a bounded pool shared by the whole process, or the calling thread.

Rule that keeps a bounded pool free of deadlock: a pool thread never waits for the pool. A
component that runs a pipeline of its own is therefore marked ``inline``.
"""

from __future__ import annotations

import contextvars
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from concurrent.futures import TimeoutError as FutureTimeout
from dataclasses import dataclass
from typing import Any, Protocol

from .faults import Outcome, TimedOut, guarded, report

Around = Callable[[Callable[[], Any]], Any]


def _as_it_is(call: Callable[[], Any]) -> Any:
    """The default wrapper: none."""
    return call()


@dataclass(frozen=True, slots=True)
class Task:
    """One component's call with its budget."""

    name: str
    call: Callable[[], object]
    budget_ms: float
    inline: bool = False


class Workers(Protocol):
    """Runs the tasks of one stage and gives their outcomes in the order of the tasks."""

    def run(self, tasks: Sequence[Task]) -> list[Outcome]: ...


class Inline:
    """Everything in the calling thread, one after another. For tests and tools: no timeouts."""

    def run(self, tasks: Sequence[Task]) -> list[Outcome]:
        """Outcomes in task order; a task without budget left is not started."""
        return [guarded(task.name, task.call) if task.budget_ms > 0 else _late(task) for task in tasks]


class Threads:
    """A bounded pool. ``around`` wraps each task in its worker (database connections)."""

    def __init__(self, size: int = 16, *, around: Around = _as_it_is) -> None:
        self._pool = ThreadPoolExecutor(size, thread_name_prefix="pipeline")
        self._around = around

    def run(self, tasks: Sequence[Task]) -> list[Outcome]:
        """Outcomes in task order, whatever order they finish in."""
        started = time.monotonic()
        pending = {
            position: self._submit(task)
            for position, task in enumerate(tasks)
            if not task.inline and task.budget_ms > 0
        }
        here = {position: guarded(task.name, task.call) for position, task in enumerate(tasks) if task.inline}
        return [
            here.get(position) or self._await(task, pending.get(position), started)
            for position, task in enumerate(tasks)
        ]

    def _submit(self, task: Task) -> Future[Outcome]:
        context = contextvars.copy_context()
        return self._pool.submit(context.run, self._around, lambda: guarded(task.name, task.call))

    def _await(self, task: Task, future: Future[Outcome] | None, started: float) -> Outcome:
        if future is None:
            return _late(task)
        left = task.budget_ms / 1000 - (time.monotonic() - started)
        try:
            return future.result(timeout=max(0.0, left))
        except FutureTimeout:  # the thread cannot be killed; its late answer is never read
            future.cancel()
            return _late(task)


def _late(task: Task) -> Outcome:
    error = TimedOut(f"no answer within {task.budget_ms:.0f} ms")
    report(task.name, error)
    return Outcome(error=error, ms=task.budget_ms)


class Background:
    """Runs side effects after the response; a full queue drops the newest and counts it."""

    def __init__(self, size: int = 2, *, limit: int = 256, around: Around = _as_it_is) -> None:
        self._pool = ThreadPoolExecutor(size, thread_name_prefix="side-effects")
        self._limit = limit
        self._around = around
        self._pending: set[Future] = set()
        self.dropped = 0

    def submit(self, call: Callable[[], None]) -> bool:
        """Queue ``call``; False when the queue is full."""
        if len(self._pending) >= self._limit:
            self.dropped += 1
            return False
        future = self._pool.submit(contextvars.copy_context().run, self._around, call)
        self._pending.add(future)
        future.add_done_callback(self._pending.discard)
        return True

    def drain(self, timeout_s: float = 10.0) -> None:
        """Wait for what is queued now (orderly shutdown, tests)."""
        wait(list(self._pending), timeout=timeout_s)


class Immediate:
    """Runs side effects at once, in the caller: for commands and tests."""

    dropped = 0

    def submit(self, call: Callable[[], None]) -> bool:
        """Run ``call`` now."""
        call()
        return True

"""Where components run: a bounded pool shared by the whole process, or the calling thread.

Rule that keeps a bounded pool free of deadlock: a pool thread never waits for the pool. A
component that runs a pipeline of its own is therefore marked ``inline``.
"""

from __future__ import annotations

import contextvars
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from typing import Any, Protocol

from .faults import Outcome, TimedOut, guarded, report

LANES = 2  # threads a stage starts with
PATIENCE_S = 0.01  # without any answer for so long, a stage gets one thread more

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
    urgency: int = 0


class Workers(Protocol):
    """Runs the tasks of one stage and gives their outcomes in the order of the tasks."""

    def run(self, tasks: Sequence[Task]) -> list[Outcome]: ...


class Inline:
    """Everything in the calling thread, one after another. For tests and tools: no timeouts."""

    def run(self, tasks: Sequence[Task]) -> list[Outcome]:
        """Outcomes in task order; a task without budget left is not started."""
        return [guarded(task.name, task.call) if task.budget_ms > 0 else _late(task) for task in tasks]


class Threads:
    """A few lanes of a bounded pool work a stage off; ``around`` wraps a lane (database connections).

    Components are mostly Python between two short waits, so many threads would only queue for the
    interpreter's lock. A lane that makes no progress for a moment (a slow network, a component
    that hangs) gets another one beside it, until everything waits at the same time. Urgent tasks are
    taken first: long questions, and what others wait for.
    """

    def __init__(self, size: int = 16, *, lanes: int = LANES, around: Around = _as_it_is) -> None:
        self._pool = ThreadPoolExecutor(size, thread_name_prefix="pipeline")
        self._lanes = lanes
        self._around = around

    def run(self, tasks: Sequence[Task]) -> list[Outcome]:
        """Outcomes in task order, whatever order they finish in."""
        stage = _Stage(tasks)
        for _ in range(min(self._lanes, len(stage.queue))):
            self._start(stage)
        for position, task in enumerate(tasks):
            if task.inline:
                stage.outcomes[position] = guarded(task.name, task.call)
        return stage.wait(lambda: self._start(stage))

    def _start(self, stage: _Stage) -> None:
        self._pool.submit(contextvars.copy_context().run, self._around, stage.work)


class _Stage:
    """The tasks of one stage while lanes work them off."""

    def __init__(self, tasks: Sequence[Task]) -> None:
        self.tasks = tasks
        self.started = time.monotonic()
        queued = (place for place, task in enumerate(tasks) if not task.inline and task.budget_ms > 0)
        self.queue = deque(sorted(queued, key=lambda place: -tasks[place].urgency))
        self.outcomes: dict[int, Outcome] = {}
        self._changed = threading.Condition()

    def work(self) -> None:
        """One lane: the next task until none is left."""
        while (place := self._next()) is not None:
            outcome = guarded(self.tasks[place].name, self.tasks[place].call)
            with self._changed:
                self.outcomes.setdefault(place, outcome)  # a late answer is never read
                self._changed.notify()

    def _next(self) -> int | None:
        with self._changed:
            return self.queue.popleft() if self.queue else None

    def wait(self, add_lane: Callable[[], None]) -> list[Outcome]:
        """Every outcome, late ones as such; a thread that hangs cannot be killed and is left behind."""
        with self._changed:
            while left := self._time_left():
                patience = min(left, PATIENCE_S) if self.queue else left
                if not self._changed.wait(patience) and self.queue:
                    add_lane()
            self.queue.clear()
        return [self.outcomes.get(place) or _late(task) for place, task in enumerate(self.tasks)]

    def _time_left(self) -> float:
        """Seconds until the last unanswered task is late; 0 when there is none."""
        open_budgets = (task.budget_ms for place, task in enumerate(self.tasks) if place not in self.outcomes)
        return max(0.0, max(open_budgets, default=0.0) / 1000 - (time.monotonic() - self.started))


def _late(task: Task) -> Outcome:
    error = TimedOut(f"no answer within {task.budget_ms:.0f} ms")
    report(task.name, error)
    return Outcome(error=error, ms=task.budget_ms)


class Background:
    """Runs side effects after the response; a queue of ``limit`` takes no more.

    Essential ones have as much room again: a page's record outlives statistics when pages come faster than
    what follows them is done.

    Whoever asked still has to write the answer, and shares the interpreter's lock with these threads:
    so they leave it ``head_start_s`` before they begin.
    """

    def __init__(
        self, size: int = 2, *, limit: int = 256, head_start_s: float = 0.0, around: Around = _as_it_is
    ) -> None:
        self._pool = ThreadPoolExecutor(size, thread_name_prefix="side-effects")
        self._limit = limit
        self._head_start_s = head_start_s
        self._around = around
        self._pending: set[Future] = set()

    def submit(self, call: Callable[[], None], *, essential: bool = False) -> bool:
        """Queue ``call``; False when the queue is full."""
        if len(self._pending) >= (2 * self._limit if essential else self._limit):
            return False
        begin_at = time.monotonic() + self._head_start_s
        future = self._pool.submit(contextvars.copy_context().run, self._begin, begin_at, call)
        self._pending.add(future)
        future.add_done_callback(self._pending.discard)
        return True

    def _begin(self, at: float, call: Callable[[], None]) -> None:
        time.sleep(max(0.0, at - time.monotonic()))
        self._around(call)

    def drain(self, timeout_s: float = 10.0) -> None:
        """Wait for what is queued now (orderly shutdown, tests)."""
        wait(list(self._pending), timeout=timeout_s)


class Immediate:
    """Runs side effects at once, in the caller: for commands and tests."""

    def submit(self, call: Callable[[], None], *, essential: bool = False) -> bool:
        """Run ``call`` now."""
        call()
        return True

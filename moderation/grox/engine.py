"""Runs plans: validated graphs of small tasks, each over a batch of posts. `_tried` is the one place that catches all.

A task that skips takes everything behind it along and the plan still succeeds. A task that fails fails
its plan, and no other plan of the post.
"""

import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from graphlib import CycleError, TopologicalSorter
from typing import ClassVar

import structlog

from moderation.grox.disable_rules import DisableRule, holding
from moderation.grox.payload import Context, Eligibility, Payload, PayloadResult, PlanResult
from moderation.types import AnnotationState
from xsocial.kernel import metrics

log = structlog.get_logger(__name__)


class SkipTask(Exception):
    """Raised inside a task: stop here, without failure. The text is the reason."""


class Outcome(StrEnum):
    SUCCESS = "success"
    SKIPPED = "skipped"
    FAILED = "failed"


@dataclass(frozen=True)
class Ended:
    """How a task ended for one post, and why if not well."""

    outcome: Outcome
    reason: str = ""


class Task:
    """One step. `attempts` with `waits` seconds between them; model steps are tried once."""

    attempts: ClassVar[int] = 2
    waits: ClassVar[tuple[float, ...]] = (1.0,)
    disabled_by: ClassVar[tuple[DisableRule, ...]] = ()

    def __init__(self, name: str = "") -> None:
        self.name = name or type(self).__name__

    def run(self, context: Context) -> None:
        """Do the step. Raise SkipTask to stop the branch."""
        raise NotImplementedError

    def pause(self, attempt: int) -> float:
        """Seconds to wait after a failed attempt, the first being 0."""
        return self.waits[min(attempt, len(self.waits) - 1)]


class BatchTask(Task):
    """A step that costs hardly more for many posts than for one.

    It is done for all of a batch or for none. A batch that fails in the end is gone through post by post, so that
    one bad post does not keep the others from being written.
    """

    def run_batch(self, contexts: Sequence[Context]) -> dict[int, str]:
        """Do the step for several posts; returns the ids of those for which their branch stops, with reasons."""
        raise NotImplementedError

    def run(self, context: Context) -> None:
        for reason in self.run_batch([context]).values():
            raise SkipTask(reason)


@dataclass
class Plan:
    """Tasks by name and what each depends on. Faulty graphs are refused when the plan is made."""

    name: str
    eligibility: Eligibility
    tasks: Mapping[str, Task]
    depends_on: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    on_failure: Callable[[Context], None] | None = None

    def __post_init__(self) -> None:
        named = {name for names in self.depends_on.values() for name in names} | set(self.depends_on)
        if unknown := named - set(self.tasks):
            raise ValueError(f"plan {self.name}: undefined task {', '.join(sorted(unknown))}")
        try:
            self.order  # noqa: B018 - computed once, here, so that a cycle is refused at start-up
        except CycleError as error:
            raise ValueError(f"plan {self.name}: {error}") from error

    @cached_property
    def order(self) -> tuple[str, ...]:
        """Task names, dependencies first."""
        graph = {name: self.depends_on.get(name, ()) for name in self.tasks}
        return tuple(TopologicalSorter(graph).static_order())

    @property
    def edges(self) -> set[tuple[str, str]]:
        """Pairs (before, after)."""
        return {(before, after) for after, names in self.depends_on.items() for before in names}


@dataclass
class _Run:
    """One post on its way through a plan."""

    context: Context
    skipped: set[str] = field(default_factory=set)
    reasons: list[str] = field(default_factory=list)  # of the tasks that skipped by themselves
    failure: str = ""

    def meets(self, name: str, depends_on: tuple[str, ...]) -> bool:
        """Whether a task is still to be run: behind a skipped one everything is skipped."""
        if self.skipped.intersection(depends_on):
            self.skipped.add(name)
        return not self.failure and name not in self.skipped

    def after(self, name: str, ended: Ended) -> None:
        """Note how a task ended."""
        if ended.outcome is Outcome.SKIPPED:
            self.skipped.add(name)
            self.reasons.append(ended.reason)
        elif ended.outcome is Outcome.FAILED:
            self.failure = ended.reason

    @property
    def state(self) -> tuple[AnnotationState, str]:
        """How the plan ended, and why if not well."""
        if self.failure:
            return AnnotationState.FAILED, self.failure
        if self.context.not_scored:
            return AnnotationState.NOT_SCORED, self.context.not_scored
        return (AnnotationState.SKIPPED, "; ".join(self.reasons)) if self.reasons else (AnnotationState.DONE, "")


def run_payloads(
    payloads: Sequence[Payload], plans: Iterable[Plan], *, sleep: Callable[[float], None] = time.sleep
) -> list[PayloadResult]:
    """Run over a batch of different posts every plan whose eligibility they carry. Never raises for what a task did."""
    found: dict[int, list[PlanResult]] = {payload.post_id: [] for payload in payloads}
    for plan in plans:
        chosen = [payload for payload in payloads if plan.eligibility in payload.eligibilities]
        for payload, result in zip(chosen, run_plan(plan, chosen, sleep=sleep), strict=True):
            found[payload.post_id].append(result)
    return [PayloadResult(post_id, tuple(results)) for post_id, results in found.items()]


def run_plan(
    plan: Plan, payloads: Sequence[Payload], *, sleep: Callable[[float], None] = time.sleep
) -> list[PlanResult]:
    """Run one plan over posts, task by task; what one of them does is no matter to the others."""
    if not payloads:
        return []
    count = metrics.counter("grox_plans", "Plan runs: executed, and how they ended", ("plan", "state"))
    count.labels(plan.name, "executed").inc(len(payloads))
    started = time.perf_counter()
    runs = [_Run(Context(payload)) for payload in payloads]
    for name in plan.order:
        ready = [run for run in runs if run.meets(name, plan.depends_on.get(name, ()))]
        ended = run_task(plan.tasks[name], [run.context for run in ready], plan=plan.name, sleep=sleep)
        for run, how in zip(ready, ended, strict=True):
            run.after(name, how)
    seconds = (time.perf_counter() - started) / len(runs)
    return [_result(plan, run, seconds) for run in runs]


def _result(plan: Plan, run: _Run, seconds: float) -> PlanResult:
    """Count the end of one post's run, which took its share of the batch's time."""
    state, reason = run.state
    if run.failure and plan.on_failure:
        plan.on_failure(run.context)
    metrics.counter("grox_plans", "Plan runs: executed, and how they ended", ("plan", "state")).labels(
        plan.name, state
    ).inc()
    metrics.histogram("grox_plan_seconds", "Duration of a plan", ("plan",)).labels(plan.name).observe(seconds)
    return PlanResult(plan.name, state, reason, run.context.results, run.context.versions, round(1000 * seconds, 2))


def run_task(task: Task, contexts: Sequence[Context], *, plan: str, sleep: Callable[[float], None]) -> Sequence[Ended]:
    """Run one task for each post with its retries, unless a rule disables it here.

    Counted are `exec`, `intaken` (not disabled) and how it ended.
    """
    if not contexts:
        return []
    count = metrics.counter("grox_tasks", "Task runs", ("plan", "task", "outcome"))
    count.labels(plan, task.name, "exec").inc(len(contexts))
    if rule := holding(task.disabled_by):
        ended = [Ended(Outcome.SKIPPED, f"{task.name}: disabled by {rule}")] * len(contexts)
    else:
        count.labels(plan, task.name, "intaken").inc(len(contexts))
        ended = _run_enabled(task, contexts, plan, sleep)
    for outcome, number in Counter(each.outcome for each in ended).items():
        count.labels(plan, task.name, outcome).inc(number)
    return ended


def _run_enabled(task: Task, contexts: Sequence[Context], plan: str, sleep: Callable[[float], None]) -> Sequence[Ended]:
    def one(context: Context, attempts: int) -> Ended:
        return _tried(lambda: _run_alone(task, context), task, attempts, plan, [context], sleep)[0]

    if not isinstance(task, BatchTask) or len(contexts) == 1:
        return [one(context, task.attempts) for context in contexts]
    ended = _tried(lambda: _run_together(task, contexts), task, task.attempts, plan, contexts, sleep)
    if ended[0].outcome is Outcome.FAILED:
        return [one(context, 1) for context in contexts]
    return ended


def _run_alone(task: Task, context: Context) -> Sequence[Ended]:
    try:
        task.run(context)
    except SkipTask as skip:
        return [Ended(Outcome.SKIPPED, f"{task.name}: {skip}")]
    return [Ended(Outcome.SUCCESS)]


def _run_together(task: BatchTask, contexts: Sequence[Context]) -> Sequence[Ended]:
    skipped = task.run_batch(contexts)
    return [
        Ended(Outcome.SKIPPED, f"{task.name}: {skipped[context.payload.post_id]}")
        if context.payload.post_id in skipped
        else Ended(Outcome.SUCCESS)
        for context in contexts
    ]


def _tried(
    work: Callable[[], Sequence[Ended]],
    task: Task,
    attempts: int,
    plan: str,
    contexts: Sequence[Context],
    sleep: Callable[[float], None],
) -> Sequence[Ended]:
    """Do work until it succeeds, at most `attempts` times."""
    for attempt in range(attempts):
        try:
            return work()
        # The boundary of all plans: whatever a step does, the other plans and posts go on.
        except Exception as error:
            posts = [context.payload.post_id for context in contexts]
            log.exception("grox task failed", plan=plan, task=task.name, posts=posts, attempt=attempt)
            reason = f"{task.name}: {type(error).__name__}: {error}"
        if attempt + 1 < attempts:
            sleep(task.pause(attempt))
    return [Ended(Outcome.FAILED, reason)] * len(contexts)

"""Runs plans: validated graphs of small tasks. `run_task` is the one place here that catches all.

A task that skips takes everything behind it along and the plan still succeeds. A task that fails fails
its plan, and no other plan of the post.
"""

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from enum import Enum, auto
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


class TaskFailed(Exception):
    """A task gave up after its last attempt."""


class Outcome(Enum):
    SUCCESS = auto()
    SKIPPED = auto()


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


def run_payload(
    payload: Payload, plans: Iterable[Plan], *, sleep: Callable[[float], None] = time.sleep
) -> PayloadResult:
    """Run every plan whose eligibility the payload carries. Never raises for what a task did."""
    chosen = [plan for plan in plans if plan.eligibility in payload.eligibilities]
    return PayloadResult(payload.post_id, tuple(run_plan(plan, payload, sleep=sleep) for plan in chosen))


def run_plan(plan: Plan, payload: Payload, *, sleep: Callable[[float], None] = time.sleep) -> PlanResult:
    """Run one plan over one post."""
    context = Context(payload)
    started = time.perf_counter()
    count = metrics.counter("grox_plans", "Plan runs: executed, and how they ended", ("plan", "state"))
    count.labels(plan.name, "executed").inc()
    state, reason = AnnotationState.DONE, ""
    try:
        skipped = _run_tasks(plan, context, sleep)
        if skipped:
            state, reason = AnnotationState.SKIPPED, "; ".join(skipped.values())
        if context.not_scored:
            state, reason = AnnotationState.NOT_SCORED, context.not_scored
    except TaskFailed as error:
        state, reason = AnnotationState.FAILED, str(error)
        if plan.on_failure:
            plan.on_failure(context)
    seconds = time.perf_counter() - started
    count.labels(plan.name, state).inc()
    metrics.histogram("grox_plan_seconds", "Duration of a plan", ("plan",)).labels(plan.name).observe(seconds)
    return PlanResult(plan.name, state, reason, context.results, context.versions, round(1000 * seconds, 2))


def _run_tasks(plan: Plan, context: Context, sleep: Callable[[float], None]) -> dict[str, str]:
    """Run tasks in order; return the reasons of those that skipped by themselves."""
    skipped: set[str] = set()
    reasons: dict[str, str] = {}
    for name in plan.order:
        if skipped.intersection(plan.depends_on.get(name, ())):
            skipped.add(name)
            continue
        outcome, reason = run_task(plan.tasks[name], context, plan=plan.name, sleep=sleep)
        if outcome is Outcome.SKIPPED:
            skipped.add(name)
            reasons[name] = reason
    return reasons


def run_task(task: Task, context: Context, *, plan: str, sleep: Callable[[float], None]) -> tuple[Outcome, str]:
    """Run one task with its retries, unless a rule disables it here. Raise TaskFailed when the last attempt failed.

    Counted are `exec`, `intaken` (not disabled) and how it ended.
    """
    count = metrics.counter("grox_tasks", "Task runs", ("plan", "task", "outcome"))
    count.labels(plan, task.name, "exec").inc()
    if rule := holding(task.disabled_by):
        count.labels(plan, task.name, "skipped").inc()
        return Outcome.SKIPPED, f"{task.name}: disabled by {rule}"
    count.labels(plan, task.name, "intaken").inc()
    for attempt in range(task.attempts):
        try:
            task.run(context)
        except SkipTask as skip:
            count.labels(plan, task.name, "skipped").inc()
            return Outcome.SKIPPED, f"{task.name}: {skip}"
        # The boundary of all plans: whatever a step does, the other plans and posts go on.
        except Exception as error:
            log.exception("grox task failed", plan=plan, task=task.name, post=context.payload.post_id, attempt=attempt)
            if attempt + 1 == task.attempts:
                count.labels(plan, task.name, "failed").inc()
                raise TaskFailed(f"{task.name}: {type(error).__name__}: {error}") from error
            sleep(task.waits[min(attempt, len(task.waits) - 1)])
        else:
            break
    count.labels(plan, task.name, "success").inc()
    return Outcome.SUCCESS, ""

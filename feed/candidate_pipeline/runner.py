"""Runs the stages of one request: budgets, merging, contracts and reports.

Stage authors never see this file; it is what lets them write a single method.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from . import faults
from .batch import Batch
from .deadlines import Deadline
from .result import ComponentReport, Removed, Result, StageReport
from .stages import Component, Filter, Hydrated, Selection
from .workers import Inline, Task

if TYPE_CHECKING:
    from .pipeline import Pipeline

_HERE = Inline()


class Runner:
    """One request's walk through a pipeline; collects a report per stage."""

    def __init__(self, pipeline: Pipeline, deadline: Deadline) -> None:
        self.pipeline = pipeline
        self.deadline = deadline
        self.reports: list[StageReport] = []

    def query_hydrators(self, stage: str, query: Any) -> Any:
        """The query with every successful hydrator's fields, merged in declared order."""
        parts: Sequence[Component] = getattr(self.pipeline, stage)
        if not parts:
            return query
        merged: dict[str, Any] = {}

        def merge(part: Any, fields: Mapping[str, Any]) -> int:
            _only_own(part, fields)
            merged.update(fields)
            return len(fields)

        self._stage(stage, query, parts, lambda part: part.hydrate(query), merge, 0)
        return replace(query, **merged) if merged else query

    def sources(self, query: Any) -> Batch:
        """All sources' candidates, concatenated in declared order."""
        found: list[Batch] = []

        def merge(part: Any, batch: Batch) -> int:
            if not isinstance(batch, Batch):
                raise faults.BadAnswer(f"expected a batch, got {type(batch).__name__}")
            found.append(batch)
            return batch.n

        parts = self.pipeline.sources
        self._stage("sources", query, parts, lambda part: part.fetch(query), merge, 0)
        batch = Batch.concat(self.pipeline.schema, found)
        self.reports[-1] = replace(self.reports[-1], rows_out=batch.n)
        return batch

    def hydrators(self, stage: str, query: Any, batch: Batch) -> Batch:
        """The batch with the columns of every successful hydrator; nobody sees another's."""
        parts: Sequence[Component] = getattr(self.pipeline, stage)
        if parts and batch.n:
            self._stage(
                stage,
                query,
                parts,
                lambda part: part.hydrate(query, batch),
                lambda part, answer: _write(part, batch, answer),
                batch.n,
            )
        return batch

    def filters(self, stage: str, query: Any, batch: Batch) -> tuple[Batch, tuple[Removed, ...]]:
        """Survivors of all filters in order, and what each one removed."""
        started, rows_in = time.perf_counter(), batch.n
        removed: list[Removed] = []
        reports = []
        for part in getattr(self.pipeline, stage):
            report, batch, dropped = self._filter(stage, query, part, batch)
            reports.append(report)
            removed += [dropped] if dropped else []
        if reports:
            self._report(stage, started, rows_in, batch.n, reports)
        return batch, tuple(removed)

    def _filter(
        self, stage: str, query: Any, part: Filter, batch: Batch
    ) -> tuple[ComponentReport, Batch, Removed | None]:
        if not self._enabled(part, query):
            return ComponentReport(part.name, "disabled"), batch, None
        outcome = faults.guarded(part.name, lambda: _mask(part, query, batch))
        keep = outcome.value
        if outcome.error:
            keep = np.full(batch.n, part.keeps_on_fault)
        dropped = batch.n - int(np.count_nonzero(keep))
        report = _component_report(part, outcome, dropped)
        if not dropped:
            return report, batch, None
        return report, batch.take(keep), Removed(part.name, stage, batch.take(~keep))

    def scorers(self, query: Any, batch: Batch) -> Batch:
        """The batch after every scorer, one after another."""
        scored = batch.take(np.arange(batch.n))  # scores never reach the retrieved snapshot
        if not (self.pipeline.scorers and batch.n):
            return scored
        started = time.perf_counter()
        reports = []
        for part in self.pipeline.scorers:
            reports += self._run(
                "scorers",
                query,
                (part,),
                lambda part: part.score(query, scored),
                lambda part, answer: _write(part, scored, answer),
            )
        self._report("scorers", started, batch.n, batch.n, reports)
        return scored

    def selector(self, query: Any, batch: Batch) -> tuple[Batch, Batch]:
        """Selected and non-selected. Disabled or broken: everything, as it came."""
        started, part = time.perf_counter(), self.pipeline.selector
        everything = Selection(np.arange(batch.n), np.empty(0, dtype=np.int64))
        if self._enabled(part, query):
            outcome = faults.guarded(part.name, lambda: _selection(part, query, batch))
            selection = outcome.value or everything
            report = _component_report(part, outcome, len(selection.selected))
        else:
            selection, report = everything, ComponentReport(part.name, "disabled")
        selected = batch.take(selection.selected)
        for name, values in selection.columns.items():
            selected.assign(name, values)
        self._report("selector", started, batch.n, selected.n, [report])
        return selected, batch.take(selection.non_selected)

    def finalize(self, query: Any, selected: Batch) -> Batch:
        """The selected rows after the pipeline's last word; as they were when it fails."""
        last_word = self.pipeline.finalize
        if last_word is None:
            return selected
        before = selected.take(np.arange(selected.n))
        outcome = faults.guarded(f"{self.pipeline.name}.finalize", lambda: last_word(query, selected))
        return before if outcome.error else outcome.value

    def truncate(self, query: Any, selected: Batch, rest: Batch) -> tuple[Batch, Batch]:
        """Cut to the result size; the overflow joins the end of the rest. There is no refill."""
        size = self.pipeline.result_size(query) if self.pipeline.result_size else selected.n
        if selected.n <= size:
            return selected, rest
        positions = np.arange(selected.n)
        overflow = selected.take(positions[size:])
        rest = Batch.concat(selected.schema, (rest, overflow))
        return selected.take(positions[:size]), rest

    def side_effects(self, result: Result) -> None:
        """Hand over the side effects that are enabled; the response does not wait."""
        for part in self.pipeline.side_effects:
            if self._enabled(part, result.query):
                do = partial(self._side_effect, part, result)
                if not self.pipeline.background.submit(do, essential=part.essential):
                    self._observe(StageReport("side_effects", 0.0, 0, 0, (ComponentReport(part.name, "dropped"),)))

    def _side_effect(self, part: Any, result: Result) -> None:
        outcome = faults.guarded(part.name, lambda: part.run(result))
        report = _component_report(part, outcome, 0)
        self._observe(StageReport("side_effects", outcome.ms, 0, 0, (report,)))

    def _stage(
        self,
        stage: str,
        query: Any,
        parts: Sequence[Component],
        call: Callable[[Any], Any],
        merge: Callable[[Any, Any], int],
        rows: int,
    ) -> None:
        started = time.perf_counter()
        reports = self._run(stage, query, parts, call, merge)
        self._report(stage, started, rows, rows, reports)

    def _run(
        self,
        stage: str,
        query: Any,
        parts: Sequence[Component],
        call: Callable[[Any], Any],
        merge: Callable[[Any, Any], int],
    ) -> list[ComponentReport]:
        """Run the enabled parts side by side, then merge their answers in declared order."""
        self.deadline.check()
        enabled = [part for part in parts if self._enabled(part, query)]
        tasks = [self._task(stage, part, call) for part in enabled]
        outcomes = dict(zip(enabled, self._workers(tasks).run(tasks), strict=True))
        self.deadline.check()
        return [
            _merged(part, outcomes[part], merge) if part in outcomes else ComponentReport(part.name, "disabled")
            for part in parts
        ]

    def _workers(self, tasks: Sequence[Task]) -> Any:
        return _HERE if all(task.inline for task in tasks) else self.pipeline.workers

    def _task(self, stage: str, part: Component, call: Callable[[Any], Any]) -> Task:
        allowed = self.pipeline.budgets.component_ms(stage, part.timeout_ms)
        budget = min(allowed, self.deadline.remaining_ms())
        if part.inline or part.essential:  # done even when the request is late
            budget = allowed
        return Task(part.name, lambda: call(part), budget, part.inline, part.urgency)

    def _enabled(self, part: Component, query: Any) -> bool:
        outcome = faults.guarded(part.name, lambda: bool(part.enabled(query)))
        return bool(outcome.value)

    def _report(
        self,
        stage: str,
        started: float,
        rows_in: int,
        rows_out: int,
        parts: list[ComponentReport],
    ) -> None:
        ms = (time.perf_counter() - started) * 1000
        self.reports.append(StageReport(stage, ms, rows_in, rows_out, tuple(parts)))
        self._observe(self.reports[-1])

    def _observe(self, report: StageReport) -> None:
        self.pipeline.observer(self.pipeline.name, report)


def _merged(part: Component, outcome: faults.Outcome, merge: Callable) -> ComponentReport:
    if outcome.error:
        return _component_report(part, outcome, 0)
    merging = faults.guarded(part.name, lambda: merge(part, outcome.value))
    whole = faults.Outcome(merging.value, merging.error, outcome.ms + merging.ms)
    return _component_report(part, whole, merging.value or 0)


def _component_report(part: Component, outcome: faults.Outcome, size: int) -> ComponentReport:
    state = "ok"
    if outcome.error:
        state = "late" if isinstance(outcome.error, faults.TimedOut) else "failed"
    error = repr(outcome.error) if outcome.error else ""
    return ComponentReport(part.name, state, outcome.ms, size, error)


def _selection(part: Any, query: Any, batch: Batch) -> Selection:
    """The selector's answer with every row in its place: positions that exist, each at most once."""
    answer = part.select(query, batch)
    taken = np.concatenate([answer.selected, answer.non_selected])
    if len(np.unique(taken)) != len(taken) or np.any((taken < 0) | (taken >= batch.n)):
        raise faults.BadAnswer(f"selected positions that are not among {batch.n} rows, or twice")
    with np.errstate(invalid="raise"):  # not-a-number has no place among whole numbers
        columns = {name: batch.schema[name].of(values) for name, values in answer.columns.items()}
    if any(len(values) != len(answer.selected) for values in columns.values()):
        raise faults.BadAnswer(f"expected {len(answer.selected)} values a column")
    return Selection(answer.selected, answer.non_selected, columns)


def _mask(part: Filter, query: Any, batch: Batch) -> np.ndarray:
    keep = np.asarray(part.keep(query, batch), dtype=bool)
    if keep.shape != (batch.n,):
        raise faults.BadAnswer(f"expected {batch.n} verdicts, got shape {keep.shape}")
    return keep


def _write(part: Component, batch: Batch, answer: Any) -> int:
    """Check the whole answer, then write it: a wrong length changes no candidate."""
    hydrated = answer if isinstance(answer, Hydrated) else Hydrated(answer)
    _only_own(part, hydrated.columns)
    columns = {name: batch.schema[name].of(values) for name, values in hydrated.columns.items()}
    lengths = {len(values) for values in columns.values()}
    if hydrated.ok is not None:
        lengths.add(len(hydrated.ok))
    if lengths - {batch.n}:
        raise faults.BadAnswer(f"expected {batch.n} rows, got {sorted(lengths)}")
    for name, values in columns.items():
        batch.assign(name, values, hydrated.ok)
    return batch.n if hydrated.ok is None else int(np.count_nonzero(hydrated.ok))


def _only_own(part: Component, answer: Mapping[str, Any]) -> None:
    foreign = sorted(set(answer) - set(part.writes))
    if foreign:
        raise faults.BadAnswer(f"wrote {foreign} without declaring it")

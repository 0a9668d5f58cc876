"""The executor: which stages run, and in which order."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from .batch import Batch, Schema
from .checks import problems
from .deadlines import Budgets, Deadline
from .result import Result, StageReport
from .runner import Runner
from .stages import (
    Component,
    Filter,
    Hydrator,
    QueryHydrator,
    Scorer,
    Selector,
    SideEffect,
    Source,
)
from .workers import Immediate, Inline, Workers

Observer = Callable[[str, StageReport], None]


def _unobserved(pipeline: str, report: StageReport) -> None:
    """The default observer: nobody is watching."""


@dataclass(frozen=True)
class Pipeline:
    """An ordered list of components per stage. Immutable: requests share no mutable state."""

    name: str
    schema: Schema
    sources: tuple[Source, ...]
    selector: Selector
    query_hydrators: tuple[QueryHydrator, ...] = ()
    dependent_query_hydrators: tuple[QueryHydrator, ...] = ()
    hydrators: tuple[Hydrator, ...] = ()
    filters: tuple[Filter, ...] = ()
    scorers: tuple[Scorer, ...] = ()
    post_selection_hydrators: tuple[Hydrator, ...] = ()
    post_selection_filters: tuple[Filter, ...] = ()
    side_effects: tuple[SideEffect, ...] = ()
    result_size: Callable[[Any], int] | None = None
    finalize: Callable[[Any, Batch], Batch] | None = None
    budgets: Budgets = field(default_factory=Budgets)
    workers: Workers = field(default_factory=Inline)
    background: Any = field(default_factory=Immediate)
    observer: Observer = _unobserved

    def execute(self, query: Any, *, deadline: Deadline | None = None) -> Result:
        """Run every stage for one request. Raises only when the request is cancelled."""
        run = Runner(self, deadline or Deadline.after(self.budgets.request_ms))
        query = run.query_hydrators("query_hydrators", query)
        query = run.query_hydrators("dependent_query_hydrators", query)
        found = run.sources(query)
        retrieved = run.hydrators("hydrators", query, found)
        kept, early = run.filters("filters", query, retrieved)
        scored = run.scorers(query, kept)
        selected, rest = run.selector(query, scored)
        selected = run.hydrators("post_selection_hydrators", query, selected)
        selected, late = run.filters("post_selection_filters", query, selected)
        selected, rest = run.truncate(query, selected, rest)
        selected = run.finalize(query, selected)
        result = Result(query, retrieved, early + late, selected, rest, tuple(run.reports))
        run.side_effects(result)
        return result

    def components(self) -> dict[str, tuple[str, ...]]:
        """Stage -> component names in order, enabled or not. Always these ten groups."""
        return {stage: tuple(part.name for part in parts) for stage, parts in self.stages()}

    def stages(self) -> tuple[tuple[str, tuple[Component, ...]], ...]:
        """The ten groups with their components."""
        return (
            ("QueryHydrator", self.query_hydrators),
            ("DependentQueryHydrator", self.dependent_query_hydrators),
            ("Source", self.sources),
            ("Hydrator", self.hydrators),
            ("Filter", self.filters),
            ("Scorer", self.scorers),
            ("Selector", (self.selector,)),
            ("PostSelectionHydrator", self.post_selection_hydrators),
            ("PostSelectionFilter", self.post_selection_filters),
            ("SideEffect", self.side_effects),
        )

    def verified(self, query_type: type) -> Pipeline:
        """This pipeline, or ValueError naming every wiring slip. Called once, when it is built."""
        found = problems(self, query_type)
        if found:
            raise ValueError(f"{self.name}: " + "; ".join(found))
        return self

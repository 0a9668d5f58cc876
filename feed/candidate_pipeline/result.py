"""What a run of a pipeline gives back, and what each stage cost."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from .batch import Batch


@dataclass(frozen=True, slots=True)
class ComponentReport:
    """One component's part in one request."""

    name: str
    state: str  # "ok", "failed", "late", "disabled" or, of side effects, "dropped"
    ms: float = 0.0
    size: int = 0  # candidates found, filled or removed
    error: str = ""


@dataclass(frozen=True, slots=True)
class StageReport:
    """One stage of one request: wall time, rows in and out, components in order."""

    stage: str
    ms: float
    rows_in: int
    rows_out: int
    components: tuple[ComponentReport, ...]

    @property
    def faults(self) -> tuple[ComponentReport, ...]:
        """Components that did not answer properly."""
        return tuple(part for part in self.components if part.state in ("failed", "late"))

    @property
    def removed_rate(self) -> float:
        """Share of rows a filter stage removed; 0 for an empty input."""
        return (self.rows_in - self.rows_out) / self.rows_in if self.rows_in else 0.0


@dataclass(frozen=True, slots=True)
class Removed:
    """What one filter dropped."""

    filter: str
    stage: str
    rows: Batch


@dataclass(frozen=True, slots=True)
class Result:
    """``retrieved`` is the hydrated, unfiltered snapshot; ``removed`` is in filter order.

    Candidates dropped by a filter are in ``removed`` and never in ``non_selected``.
    """

    query: Any
    retrieved: Batch
    removed: tuple[Removed, ...]
    selected: Batch
    non_selected: Batch
    stages: tuple[StageReport, ...] = field(default=())

    @property
    def faults(self) -> tuple[ComponentReport, ...]:
        """Every component that failed or was late, in order."""
        return tuple(part for stage in self.stages for part in stage.faults)

    def failed(self, name: str) -> bool:
        """Whether the named component failed or was late."""
        return any(part.name == name for part in self.faults)

    @classmethod
    def empty(cls, query: Any, batch: Batch) -> Result:
        """A result that short-circuits without running: nothing found, nothing dropped."""
        return cls(query, batch, (), batch, batch)

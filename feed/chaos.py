"""Every component of both pipelines broken in turn, in every way a component can break.

A sabotaged twin takes the component's place in a copy of the pipelines; nothing else changes. A
page must come all the same: what is missing is that component's part.
"""

from __future__ import annotations

import copy
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from feed.candidate_pipeline import Filter, Hydrated, Pipeline, Scorer, Selection, Selector, SideEffect, Source
from feed.candidate_pipeline.stages import Component, Hydrator, QueryHydrator
from feed.home_mixer.clients import Clients
from feed.home_mixer.pipelines import for_you, scored_posts

RAISE, HANG, WRONG, NAN = "raise", "hang", "wrong", "nan"
HANG_S = 3.0  # longer than any component may take

# What the runner calls, by kind of component.
_METHODS: dict[type[Component], str] = {
    QueryHydrator: "hydrate",
    Source: "fetch",
    Hydrator: "hydrate",
    Filter: "keep",
    Scorer: "score",
    Selector: "select",
    SideEffect: "run",
}
_STAGES = (
    "query_hydrators",
    "dependent_query_hydrators",
    "sources",
    "hydrators",
    "filters",
    "scorers",
    "selector",
    "post_selection_hydrators",
    "post_selection_filters",
    "side_effects",
)


class Sabotage(Exception):
    """What a sabotaged component raises."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One component of one pipeline, and how it breaks."""

    pipeline: str
    stage: str
    component: str
    mode: str


def faults(clients: Clients) -> Iterator[Fault]:
    """All that can happen. Inline parts only compute: they have nothing to hang on."""
    inner = scored_posts.build(clients)
    for pipeline in (inner, for_you.build(inner, clients)):
        for stage in _STAGES:
            for part in _parts(pipeline, stage):
                for mode in _modes(part):
                    yield Fault(pipeline.name, stage, part.name, mode)


def broken(fault: Fault, clients: Clients, *, hang_s: float = HANG_S) -> Pipeline:
    """The outer pipeline with this fault somewhere inside."""
    inner = scored_posts.build(clients)
    if fault.pipeline == inner.name:
        return for_you.build(_sabotaged(inner, fault, hang_s), clients)
    return _sabotaged(for_you.build(inner, clients), fault, hang_s)


def _parts(pipeline: Pipeline, stage: str) -> tuple[Component, ...]:
    parts = getattr(pipeline, stage)
    return parts if isinstance(parts, tuple) else (parts,)


def _modes(part: Component) -> tuple[str, ...]:
    modes = [RAISE] if part.inline else [RAISE, HANG]
    if not isinstance(part, SideEffect):
        modes.append(WRONG)
    if isinstance(part, (Hydrator, Scorer, Selector)):
        modes.append(NAN)
    return tuple(modes)


def _sabotaged(pipeline: Pipeline, fault: Fault, hang_s: float) -> Pipeline:
    parts = tuple(
        _twin(part, fault.mode, hang_s) if part.name == fault.component else part
        for part in _parts(pipeline, fault.stage)
    )
    return replace(pipeline, **{fault.stage: parts[0] if fault.stage == "selector" else parts})


def _twin(part: Component, mode: str, hang_s: float) -> Component:
    """The same component under the same name, with its one method broken and always enabled."""
    kind = next(kind for kind in _METHODS if isinstance(part, kind))
    method = _METHODS[kind]
    healthy = getattr(part, method)

    def break_down(self: Component, *arguments: Any) -> Any:
        if mode == RAISE:
            raise Sabotage(f"{part.name} was told to fail")
        if mode == HANG:
            time.sleep(hang_s)
            raise Sabotage(f"{part.name} woke up")
        answer = healthy(*arguments)
        return _shortened(kind, answer) if mode == WRONG else _poisoned(answer)

    twin = copy.copy(part)
    twin.__class__ = type(part.name, (type(part),), {method: break_down})
    return twin


def _shortened(kind: type[Component], answer: Any) -> Any:
    """An answer that breaks the contract: one row too few, or something nobody declared."""
    if kind is QueryHydrator:
        return {**answer, "undeclared": 1}
    if kind is Source:
        return None
    if kind is Filter:
        return np.asarray(answer)[:-1]
    if kind is Selector:
        return replace(answer, selected=answer.selected + 1_000_000)
    return _each_column(answer, lambda column: column[:-1])


def _poisoned(answer: Any) -> Any:
    """Not-a-number wherever there are numbers; a selector that knows no order at all."""
    if isinstance(answer, Selection):
        return replace(answer, columns={name: np.full(len(answer.selected), np.nan) for name in answer.columns})
    return _each_column(answer, lambda column: np.full_like(column, np.nan) if _is_float(column) else column)


def _each_column(answer: Any, change: Callable[[np.ndarray], Any]) -> Hydrated:
    hydrated = answer if isinstance(answer, Hydrated) else Hydrated(answer)
    columns = {name: change(_column(values)) for name, values in hydrated.columns.items()}
    return Hydrated(columns, hydrated.ok)


def _column(values: Any) -> np.ndarray:
    if isinstance(values, np.ndarray):
        return values
    column = np.empty(len(values), dtype=object)
    column[:] = values
    return column


def _is_float(column: np.ndarray) -> bool:
    return np.issubdtype(column.dtype, np.floating)

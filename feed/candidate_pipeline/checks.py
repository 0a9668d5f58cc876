"""Wiring slips found when a pipeline is built, not when a page is asked for."""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .pipeline import Pipeline
    from .stages import Component

COLUMN_STAGES = (
    "Source",
    "Hydrator",
    "Filter",
    "Scorer",
    "Selector",
    "PostSelectionHydrator",
    "PostSelectionFilter",
)
PARALLEL_STAGES = (
    "QueryHydrator",
    "DependentQueryHydrator",
    "Hydrator",
    "PostSelectionHydrator",
)


def problems(pipeline: Pipeline, query_type: type) -> list[str]:
    """Every slip, in stage order; empty when the wiring holds."""
    stages = dict(pipeline.stages())
    return [
        *_unknown_query_fields(stages, query_type),
        *_unknown_columns(pipeline, stages),
        *_read_before_written(stages),
        *_written_twice(stages),
    ]


def _unknown_query_fields(stages: dict[str, tuple[Component, ...]], query_type: type) -> list[str]:
    known = {field.name for field in fields(query_type)}
    parts = stages["QueryHydrator"] + stages["DependentQueryHydrator"]
    return [
        f"{part.name} writes {name}, which the query does not have"
        for part in parts
        for name in part.writes
        if name not in known
    ]


def _unknown_columns(pipeline: Pipeline, stages: dict[str, tuple[Component, ...]]) -> list[str]:
    return [
        f"{part.name} uses column {name}, which the schema does not have"
        for stage in COLUMN_STAGES
        for part in stages[stage]
        for name in (*part.reads, *part.writes)
        if name not in pipeline.schema
    ]


def _read_before_written(stages: dict[str, tuple[Component, ...]]) -> list[str]:
    written: set[str] = set()
    found = []
    for stage in COLUMN_STAGES:
        for part in stages[stage]:
            found += [
                f"{part.name} reads {name} before anything writes it" for name in part.reads if name not in written
            ]
            if stage == "Scorer":  # scorers run one after another and may build on each other
                written.update(part.writes)
        written.update(name for part in stages[stage] for name in part.writes)
    return found


def _written_twice(stages: dict[str, tuple[Component, ...]]) -> list[str]:
    found = []
    for stage in PARALLEL_STAGES:
        owner: dict[str, str] = {}
        for part in stages[stage]:
            found += [f"{part.name} and {owner[name]} both write {name}" for name in part.writes if name in owner]
            owner.update(dict.fromkeys(part.writes, part.name))
    return found

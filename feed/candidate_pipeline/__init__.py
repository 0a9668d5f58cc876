"""The candidate pipeline framework: stages, batches and the runner. Knows nothing of posts.

An island: no Django, REST framework or Celery, so that it tests in milliseconds.
"""

from .batch import Batch, Column, Schema
from .cached_hydrator import CachedHydrator, RowCache
from .deadlines import Budgets, Cancelled, Deadline
from .faults import TimedOut
from .pipeline import Pipeline
from .result import ComponentReport, Removed, Result, StageReport
from .stages import (
    Filter,
    Hydrated,
    Hydrator,
    QueryHydrator,
    Scorer,
    Selection,
    Selector,
    SideEffect,
    Source,
)
from .workers import Background, Immediate, Inline, Threads

__all__ = [
    "Background",
    "Batch",
    "Budgets",
    "CachedHydrator",
    "Cancelled",
    "Column",
    "ComponentReport",
    "Deadline",
    "Filter",
    "Hydrated",
    "Hydrator",
    "Immediate",
    "Inline",
    "Pipeline",
    "QueryHydrator",
    "Removed",
    "Result",
    "RowCache",
    "Schema",
    "Scorer",
    "Selection",
    "Selector",
    "SideEffect",
    "Source",
    "StageReport",
    "Threads",
    "TimedOut",
]

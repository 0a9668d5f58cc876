"""Small components the framework's tests are built from."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from feed.candidate_pipeline import (
    Batch,
    Column,
    Filter,
    Hydrator,
    Pipeline,
    QueryHydrator,
    Schema,
    Scorer,
    Selector,
    SideEffect,
    Source,
)

SCHEMA = Schema(
    {
        "id": Column(np.int64, 0),
        "a": Column(np.float64, np.nan),
        "b": Column(np.float64, np.nan),
        "text": Column(object, None),
        "score": Column(np.float64, np.nan),
    }
)


@dataclass(frozen=True)
class Query:
    """Two fields to hydrate and a flag components may look at."""

    first: int = 0
    second: int = 0
    quiet: bool = False


class Named:
    """Gives a component the name a test wants, and counts its calls."""

    def __init__(self, name: str, call: Callable[..., Any], *, on: bool = True, **attributes: Any):
        self._name, self._call, self._on, self.calls = name, call, on, 0
        for attribute, value in attributes.items():
            setattr(self, attribute, value)

    @property
    def name(self) -> str:
        return self._name

    def enabled(self, query: Query) -> bool:
        return self._on

    def answer(self, *args: Any) -> Any:
        self.calls += 1
        return self._call(*args)


class QueryPart(Named, QueryHydrator):
    def hydrate(self, query):
        return self.answer(query)


class SourcePart(Named, Source):
    writes = ("id",)

    def fetch(self, query):
        return self.answer(query)


class HydratorPart(Named, Hydrator):
    writes = ("a", "b", "text")

    def hydrate(self, query, batch):
        return self.answer(query, batch)


class FilterPart(Named, Filter):
    def keep(self, query, batch):
        return self.answer(query, batch)


class ScorerPart(Named, Scorer):
    writes = ("score", "a")

    def score(self, query, batch):
        return self.answer(query, batch)


class SideEffectPart(Named, SideEffect):
    def run(self, result):
        return self.answer(result)


class TopScore(Selector):
    """Highest score first, cut to a size."""

    reads = ("score",)

    def __init__(self, size: int | None = None):
        self._size = size

    def size(self, query):
        return self._size

    def scores(self, query, batch):
        return batch["score"]


def ids(*values: int) -> Callable[[Query], Batch]:
    """A source's answer: these candidates."""
    return lambda query: Batch.of(SCHEMA, id=list(values))


def slowly(seconds: float, call: Callable[..., Any]) -> Callable[..., Any]:
    """``call`` after a pause."""

    def late(*args: Any) -> Any:
        time.sleep(seconds)
        return call(*args)

    return late


def fails(*args: Any) -> Any:
    """What a broken component does."""
    raise RuntimeError("broken")


def pipeline(**parts: Any) -> Pipeline:
    """A pipeline over ``SCHEMA`` with one source of five candidates unless told otherwise."""
    parts.setdefault("sources", (SourcePart("Five", ids(1, 2, 3, 4, 5)),))
    parts.setdefault("selector", TopScore())
    return Pipeline(name="test", schema=SCHEMA, **parts)

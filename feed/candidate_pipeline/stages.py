"""What a component of each stage must offer. A stage's author writes one method.

Every component has a ``name`` (its class), ``enabled(query)`` (pure and cheap: no I/O), the
columns it ``reads`` and ``writes``, and optionally a ``timeout_ms`` of its own. ``inline``
marks cheap CPU-only work that is not worth a thread; ``essential`` work gets its own time limit
even when the request's is used up, and as a side effect a place in a queue that is full for others. The higher
its ``urgency``, the earlier it is begun; the order in which answers are merged is the declared one all the same.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from .batch import Batch

if TYPE_CHECKING:
    from .result import Result

Columns = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Hydrated:
    """Columns for all rows, and which rows succeeded; the others keep what they had."""

    columns: Columns
    ok: np.ndarray | None = None


@dataclass(frozen=True, slots=True)
class Selection:
    """Positions chosen, in order, and the rest, in order; columns for the chosen rows."""

    selected: np.ndarray
    non_selected: np.ndarray
    columns: Columns = field(default_factory=dict)


class Component:
    """What all components share."""

    reads: ClassVar[tuple[str, ...]] = ()
    writes: ClassVar[tuple[str, ...]] = ()
    timeout_ms: ClassVar[int | None] = None
    inline: ClassVar[bool] = False
    essential: ClassVar[bool] = False
    urgency: ClassVar[int] = 0

    @property
    def name(self) -> str:
        """The type's name, as it appears in introspection, metrics and receipts."""
        return type(self).__name__

    def enabled(self, query: Any) -> bool:
        """Whether to run for this request."""
        return True


class QueryHydrator(Component):
    """Fills fields of the query; ``writes`` names them."""

    def hydrate(self, query: Any) -> Mapping[str, Any]:
        """The fields' values. All hydrators of a stage see the same query."""
        raise NotImplementedError


class Source(Component):
    """Finds candidates."""

    def fetch(self, query: Any) -> Batch:
        """Candidates in the source's own order."""
        raise NotImplementedError


class Hydrator(Component):
    """Fills columns of candidates; it can neither drop nor reorder them."""

    def hydrate(self, query: Any, batch: Batch) -> Columns | Hydrated:
        """Values for every row, in row order."""
        raise NotImplementedError


class Filter(Component):
    """Drops candidates; the only stage that may."""

    # What a broken filter lets through: everything, unless it guards somebody's privacy.
    keeps_on_fault: ClassVar[bool] = True
    inline = True

    def keep(self, query: Any, batch: Batch) -> np.ndarray:
        """A boolean mask over the rows: True stays."""
        raise NotImplementedError


class Scorer(Component):
    """Fills score columns; each scorer sees what the earlier ones wrote."""

    def score(self, query: Any, batch: Batch) -> Columns | Hydrated:
        """Values for every row, in row order."""
        raise NotImplementedError


class Selector(Component):
    """Chooses and orders. By default: highest score first, ties in prior order."""

    inline = True

    def size(self, query: Any) -> int | None:
        """How many to choose; None chooses all."""
        return None

    def scores(self, query: Any, batch: Batch) -> np.ndarray:
        """The sort key; a missing score (NaN) sorts last."""
        return np.zeros(batch.n)

    def select(self, query: Any, batch: Batch) -> Selection:
        """Split the rows into chosen and rest."""
        keys = np.asarray(self.scores(query, batch), dtype=np.float64)
        order = np.argsort(-np.where(np.isnan(keys), -np.inf, keys), kind="stable")
        size = self.size(query)
        cut = len(order) if size is None else size
        return Selection(order[:cut], order[cut:])


class SideEffect(Component):
    """Something done after the response, which it can no longer change."""

    def run(self, result: Result) -> None:
        """Do it; errors are counted and reach nobody."""
        raise NotImplementedError

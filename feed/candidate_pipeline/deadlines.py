"""How long a component, a stage and a whole request may take."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field

# Milliseconds a component of a stage may take before it counts as failed.
DEFAULT_STAGE_MS: Mapping[str, int] = {
    "query_hydrators": 50,
    "dependent_query_hydrators": 50,
    "sources": 100,
    "hydrators": 50,
    "scorers": 150,
    "post_selection_hydrators": 50,
}


class Cancelled(Exception):
    """The caller gave the request up; nothing of it is worth finishing."""


@dataclass(frozen=True)
class Budgets:
    """Time allowed to components, by stage, and to the request as a whole (milliseconds)."""

    request_ms: int = 2_500
    stage_ms: Mapping[str, int] = field(default_factory=lambda: DEFAULT_STAGE_MS)

    def component_ms(self, stage: str, own_ms: int | None) -> int:
        """A component's own limit, else its stage's, else the request's."""
        return own_ms if own_ms is not None else self.stage_ms.get(stage, self.request_ms)


@dataclass
class Deadline:
    """A point on the monotonic clock, shared by everything done for one request."""

    at: float
    cancelled: bool = False

    @classmethod
    def after(cls, milliseconds: float) -> Deadline:
        """A deadline that many milliseconds from now."""
        return cls(time.monotonic() + milliseconds / 1000)

    def remaining_ms(self) -> float:
        """Milliseconds left; never negative, nothing once cancelled."""
        return 0.0 if self.cancelled else max(0.0, (self.at - time.monotonic()) * 1000)

    def cancel(self) -> None:
        """Give the request up: running components are abandoned at the next stage."""
        self.cancelled = True

    def check(self) -> None:
        """Raise when the caller has gone."""
        if self.cancelled:
            raise Cancelled

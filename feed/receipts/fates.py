"""What became of every candidate: served, or left out by exactly one rule. Nothing remains over."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from feed.candidate_pipeline import Result
from feed.home_mixer import feed_item

SERVED = "served"
PAGE_FULL = "PageFull"  # ranked and judged, but after the last place of the page


@dataclass(frozen=True)
class Fates:
    """``rules`` names (stage, component) in the order of the pipeline; ``of`` indexes it, a value per
    candidate in source order, -1 for served."""

    rules: tuple[tuple[str, str], ...]
    of: np.ndarray

    @property
    def num_served(self) -> int:
        """How many candidates are on the page."""
        return int(np.count_nonzero(self.of < 0))

    def rows(self, rule: int) -> np.ndarray:
        """Positions of the candidates that a rule left out."""
        return np.flatnonzero(self.of == rule)

    def rows_by(self, component: str) -> np.ndarray:
        """Positions of the candidates that a component left out."""
        return np.flatnonzero(np.isin(self.of, [n for n, (_, name) in enumerate(self.rules) if name == component]))

    def ledger(self) -> Iterator[tuple[str, str, np.ndarray]]:
        """Stage, component and positions of everything left out, in order."""
        for rule, (stage, component) in enumerate(self.rules):
            yield stage, component, self.rows(rule)


def of(inner: Result, page: Result | None = None) -> Fates:
    """The fate of every candidate of the inner pipeline, given the page that was made of them.

    Without a page (the inner pipeline alone) what it selected counts as served.
    """
    fates = np.full(inner.retrieved.n, -2, np.int16)
    rules: list[tuple[str, str]] = []
    for removed in inner.removed:
        fates[removed.rows.positions_in(inner.retrieved)] = len(rules)
        rules.append((removed.stage, removed.filter))
    selected = inner.selected.positions_in(inner.retrieved)
    shown = np.ones(len(selected), bool) if page is None else np.isin(inner.selected["post_id"], _posts_on(page))
    fates[selected[shown]] = -1
    rest, full = np.flatnonzero(fates == -2), overflow(inner)
    late = np.isin(inner.retrieved["post_id"][rest], full) | np.isin(rest, selected)
    selector = next((report.components[0].name for report in inner.stages if report.stage == "selector"), "Selector")
    for stage, name, rows in (("selector", selector, rest[~late]), ("page", PAGE_FULL, rest[late])):
        if len(rows):
            fates[rows] = len(rules)
            rules.append((stage, name))
    return Fates(tuple(rules), fates)


def overflow(inner: Result) -> np.ndarray:
    """Ids that were selected and judged but cut off at the result size; they end the rest."""
    chosen = sum(report.rows_out for report in inner.stages if report.stage == "selector")
    judged_out = sum(removed.rows.n for removed in inner.removed if removed.stage == "post_selection_filters")
    cut = max(0, chosen - judged_out - inner.selected.n)
    return inner.non_selected["post_id"][inner.non_selected.n - cut :]


def _posts_on(page: Result) -> list[int]:
    kinds, items = page.selected["kind"].tolist(), page.selected["item"].tolist()
    return [item.id for kind, item in zip(kinds, items, strict=True) if kind == feed_item.POST]

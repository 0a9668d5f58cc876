"""The funnel as bars, one row a step, drawn on the server."""

from __future__ import annotations

from dataclasses import dataclass

from feed.reach.funnel import Funnel

WIDTH, ROW, BAR, LABEL = 360, 40, 12, 16  # units of the drawing


@dataclass(frozen=True, slots=True)
class Bar:
    """A row: baseline of its words, top of its bar, and two widths side by side."""

    label: str
    words: str
    text_y: int
    bar_y: int
    followers: float
    others: float


@dataclass(frozen=True, slots=True)
class Plot:
    """What the template draws."""

    width: int
    height: int
    bar: int
    bars: tuple[Bar, ...]


def of(funnel: Funnel) -> Plot:
    """Widths by the square root of the counts: steps differ by orders of magnitude, and all should be seen."""
    largest = max((root(step.followers) + root(step.others) for step in funnel.steps), default=0.0) or 1.0
    bars = tuple(
        Bar(
            label=step.label,
            words=f"{words(step.followers)} followers, {words(step.others)} others",
            text_y=row * ROW + LABEL,
            bar_y=row * ROW + LABEL + 6,
            followers=round(root(step.followers) / largest * WIDTH, 1),
            others=round(root(step.others) / largest * WIDTH, 1),
        )
        for row, step in enumerate(funnel.steps)
    )
    return Plot(WIDTH, ROW * len(bars), BAR, bars)


def root(count: int | None) -> float:
    """Nothing for what is hidden."""
    return (count or 0) ** 0.5


def words(count: int | None) -> str:
    """A figure, or that it is hidden."""
    return "few" if count is None else f"{count:,}"

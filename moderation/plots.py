"""Small bar charts as SVG, drawn on the server, with a scale to read them by: plain without script, in either theme."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

WIDTH, HEIGHT = 256, 116
LEFT, TOP, FLOOR = 38, 8, 96  # of the bars: beside their scale, above their days
GAP = 2
STEPS = 3  # between the lines of a scale, at most


@dataclass(frozen=True)
class Plot:
    """A chart with what stands around it: its name, the latest value, and every value with the day it begins."""

    title: str
    latest: str
    drawn: SafeString
    rows: list[tuple[date, str]]
    is_notable: bool = False


@dataclass(frozen=True)
class Section:
    """Charts that belong together, with a sentence on how to read them."""

    title: str
    note: str
    plots: list[Plot]


def plot(
    title: str, values: Sequence[float], days: Sequence[date], *, limit: float | None = None, is_notable: bool = False
) -> Plot:
    """A bar a day, or a week; a line where `limit` is."""
    rows = [(day, in_words(value)) for day, value in zip(days, values, strict=True)]
    return Plot(title, rows[-1][1], bars(values, days, title=title, limit=limit), rows, is_notable)


def in_words(value: float) -> str:
    """Whole where the fraction says nothing, else three digits that count."""
    return f"{value:,.0f}" if value >= 100 or value == int(value) else f"{value:.3g}"


def _shortly(value: float) -> str:
    """As it stands beside a line of the scale, where there is little room."""
    for unit, letter in ((1_000_000, "M"), (1_000, "k")):
        if value >= 10 * unit:
            return f"{value / unit:g}{letter}"
    return in_words(value)


def scale(largest: float, *, is_whole: bool) -> list[float]:
    """Round numbers at even distances from 0 to `largest` or a little more."""
    least = max(largest / STEPS, 1 if is_whole else 0) or 1
    power = 10.0 ** math.floor(math.log10(least))
    step = next(power * leading for leading in (1, 2, 2.5, 5, 10) if power * leading >= least * (1 - 1e-9))
    if is_whole:
        step = math.ceil(step)
    return [step * number for number in range(math.ceil(largest / step - 1e-9) + 1 if largest else 2)]


def bars(values: Sequence[float], days: Sequence[date], *, title: str, limit: float | None = None) -> SafeString:
    """One bar a value before a scale from 0; each says its day and value when pointed at."""
    is_whole = all(value == int(value) for value in values)
    marks = scale(max((*values, limit or 0), default=0), is_whole=is_whole)
    step = (WIDTH - LEFT) / max(1, len(values))

    def height(value: float) -> float:
        return round(FLOOR - (FLOOR - TOP) * value / marks[-1], 1)

    return format_html(
        '<svg viewBox="0 0 {} {}" role="img" aria-label="{}">{}{}{}{}</svg>',
        WIDTH,
        HEIGHT,
        f"{title}: at most {in_words(max(values, default=0))}",
        format_html_join(
            "",
            '<line class="plot__line" x1="{}" x2="{}" y1="{}" y2="{}"/><text x="{}" y="{}" text-anchor="end">{}</text>',
            ((LEFT, WIDTH, height(mark), height(mark), LEFT - 5, height(mark) + 4, _shortly(mark)) for mark in marks),
        ),
        format_html_join(
            "",
            '<rect x="{}" y="{}" width="{}" height="{}"><title>{}: {}</title></rect>',
            (
                (
                    round(LEFT + number * step + GAP / 2, 1),
                    height(value),
                    round(step - GAP, 1),
                    round(FLOOR - height(value), 1),
                    f"{day:%-d %b}",
                    in_words(value),
                )
                for number, (value, day) in enumerate(zip(values, days, strict=True))
            ),
        ),
        format_html('<line class="plot__limit" x1="{}" x2="{}" y1="{}" y2="{}"/>', LEFT, WIDTH, *[height(limit)] * 2)
        if limit is not None
        else "",
        format_html_join(
            "",
            '<text x="{}" y="{}" text-anchor="{}">{}</text>',
            (
                (round(x, 1), HEIGHT - 4, anchor, f"{days[place]:%-d %b}")
                for place, x, anchor in _dated(len(days), step)
            ),
        ),
    )


def _dated(number: int, step: float) -> list[tuple[int, float, str]]:
    """Which bars have their day below them, and where: the first, the middle one, the last."""
    if not number:
        return []
    middle = number // 2
    ends = [(0, LEFT, "start"), (number - 1, WIDTH, "end")]
    return [ends[0], (middle, LEFT + (middle + 0.5) * step, "middle"), ends[1]] if number > 2 else ends[-number:]

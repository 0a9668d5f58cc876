"""Small bar charts as SVG, drawn on the server: readable without script, and with their numbers as titles."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

WIDTH, HEIGHT = 320, 80
GAP = 2


@dataclass(frozen=True)
class Plot:
    """A chart with what stands around it: its name, the latest value, the first and the last day."""

    title: str
    latest: str
    drawn: SafeString
    first: date
    last: date
    is_notable: bool = False


@dataclass(frozen=True)
class Section:
    """Charts that belong together, with a sentence on how to read them."""

    title: str
    note: str
    plots: list[Plot]


def plot(title: str, values: Sequence[float], days: Sequence[date], *, is_notable: bool = False) -> Plot:
    """A bar a day, or a week."""
    return Plot(title, _in_words(values[-1]), bars(values, days, title=title), days[0], days[-1], is_notable)


def _in_words(value: float) -> str:
    """Whole where the fraction says nothing, else three digits that count."""
    return f"{value:,.0f}" if value >= 100 or value == int(value) else f"{value:.3g}"


def bars(values: Sequence[float], names: Sequence[object], *, title: str) -> SafeString:
    """One bar a value, the tallest as high as the chart; each says its name and value when pointed at."""
    step = WIDTH / max(1, len(values))
    largest = max(values, default=0) or 1
    drawn = format_html_join(
        "",
        '<rect x="{}" y="{}" width="{}" height="{}"><title>{}: {}</title></rect>',
        (
            (
                round(number * step, 1),
                round(HEIGHT * (1 - value / largest), 1),
                round(step - GAP, 1),
                round(HEIGHT * value / largest, 1),
                name,
                f"{value:g}",
            )
            for number, (value, name) in enumerate(zip(values, names, strict=True))
        ),
    )
    return format_html(
        '<svg viewBox="0 0 {} {}" width="100%" height="{}" preserveAspectRatio="none" role="img" aria-label="{}"'
        ' fill="currentColor">{}</svg>',
        WIDTH,
        HEIGHT,
        HEIGHT,
        f"{title}, at most {largest:g}",
        drawn,
    )

"""Small bar charts as SVG, drawn on the server: readable without script, and with their numbers as titles."""

from collections.abc import Sequence

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

WIDTH, HEIGHT = 320, 80
GAP = 2


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
        '<svg viewBox="0 0 {} {}" width="100%" height="{}" role="img" aria-label="{}" fill="currentColor">{}</svg>',
        WIDTH,
        HEIGHT,
        HEIGHT,
        f"{title}, at most {largest:g}",
        drawn,
    )

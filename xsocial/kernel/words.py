"""Numbers and moments as people read them."""

from datetime import datetime

from django.utils.formats import date_format

MINUTE, HOUR, DAY = 60, 3600, 86_400


def compact(number: int) -> str:
    """A count in as few signs as it takes: 999, 1.2k, 345k, 5.6M. Zero is silence."""
    if not number:
        return ""
    if number < 1000:
        return str(number)
    size, sign = (1_000_000, "M") if number >= 1_000_000 else (1000, "k")
    scaled = number / size
    return f"{int(scaled * 10) / 10:g}{sign}" if scaled < 100 else f"{int(scaled)}{sign}"


def age(then: datetime, now: datetime) -> str:
    """How long ago, as short as it can be said: now, 5m, 3h, 6d, then the date."""
    seconds = (now - then).total_seconds()
    if seconds < MINUTE:
        return "now"
    if seconds < HOUR:
        return f"{seconds // MINUTE:.0f}m"
    if seconds < DAY:
        return f"{seconds // HOUR:.0f}h"
    if seconds < 7 * DAY:
        return f"{seconds // DAY:.0f}d"
    return date_format(then, "j M" if then.year == now.year else "j M Y")

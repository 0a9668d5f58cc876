"""The small parts every page uses: icons, faces, times, counts and form fields."""

from datetime import datetime
from functools import lru_cache

from django import template
from django.forms import BoundField, CheckboxInput
from django.templatetags.static import static
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.safestring import SafeString

from accounts.cards import hue_of
from xsocial.kernel import clock

register = template.Library()

MINUTE, HOUR, DAY = 60, 3600, 86_400


@lru_cache(maxsize=1)
def _sprite() -> str:
    return static("img/icons.svg")


@register.simple_tag
def icon(name: str, extra: str = "") -> SafeString:
    """One picture of the sprite; decorative, so hidden from screen readers."""
    return format_html(
        '<svg class="icon {}" aria-hidden="true"><use href="{}#{}"/></svg>',
        extra,
        _sprite(),
        name,
    )


@register.simple_tag
def avatar(person, size: int = 44) -> SafeString:
    """The person's picture, or their initial on a colour that is always the same for them.

    `person` has `id`, `name` and either `avatar_url` or an `avatar` file.
    """
    url = avatar_url(person)
    if url:
        return format_html(
            '<span class="avatar avatar--{0}"><img src="{1}" alt="" width="{0}" height="{0}" loading="lazy"></span>',
            size,
            url,
        )
    return format_html(
        '<span class="avatar avatar--{} hue-{}" aria-hidden="true">{}</span>',
        size,
        hue(person),
        person.name[:1],
    )


@register.filter
def hue(person) -> int:
    """Which of the fallback colours a person has."""
    return hue_of(person.id)


def avatar_url(person) -> str:
    """Address of the person's picture; empty without one."""
    if hasattr(person, "avatar_url"):
        return person.avatar_url
    return person.avatar.url if person.avatar else ""


def age_words(then: datetime, now: datetime) -> str:
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


@register.simple_tag
def ago(then: datetime) -> SafeString:
    """A <time> with the age in words and the exact moment as title."""
    return format_html(
        '<time datetime="{}" title="{}">{}</time>',
        then.isoformat(timespec="seconds"),
        date_format(then, "j F Y, H:i") + " UTC",
        age_words(then, clock.now()),
    )


@register.filter
def compact(number: int) -> str:
    """A count as people read it: 999, 1.2k, 34k, 5.6M. Zero is silence."""
    if not number:
        return ""
    if number < 1000:
        return str(number)
    for size, sign in ((1_000_000, "M"), (1000, "k")):
        if number >= size:
            scaled = number / size
            return f"{int(scaled * 10) / 10:g}{sign}" if scaled < 100 else f"{int(scaled)}{sign}"
    return str(number)


@register.inclusion_tag("components/_field.html")
def field(bound: BoundField, label: str = "", help_text: str = "") -> dict[str, object]:
    """A form field with label, help and errors; check boxes stand before their label."""
    return {
        "field": bound,
        "label": label or bound.label,
        "help_text": help_text or bound.help_text,
        "is_check": isinstance(bound.field.widget, CheckboxInput),
    }


@register.simple_tag(takes_context=True)
def current(context: template.Context, path: str, *, whole: bool = True) -> str:
    """`aria-current` for the link to the page one is on."""
    request = context.get("request")
    if request is None:
        return ""
    here = request.path == path if whole else request.path.startswith(path)
    return SafeString('aria-current="page"') if here else ""

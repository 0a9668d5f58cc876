"""The small parts every page uses: icons, faces, times and form fields."""

from datetime import datetime, tzinfo
from functools import lru_cache

from django import template
from django.forms import BoundField, CheckboxInput
from django.template import engines
from django.templatetags.static import static
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.safestring import SafeString

from accounts.cards import hue_of
from xsocial.kernel import clock, words

register = template.Library()


@register.simple_tag
@lru_cache(maxsize=256)
def icon(name: str, extra: str = "") -> SafeString:
    """One picture of the sprite; decorative, so hidden from screen readers."""
    return format_html(
        '<svg class="icon {}" aria-hidden="true"><use href="{}#{}"/></svg>',
        extra,
        static("img/icons.svg"),
        name,
    )


@register.simple_tag(takes_context=True)
def part(context: template.Context, name: str, **values: object) -> SafeString:
    """A part written for Jinja, which draws it several times as fast: what a page shows dozens of times."""
    return SafeString(engines["jinja2"].env.get_template(name).render(user=context.get("user"), **values))


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


BROWSERS = (("Edg", "Edge"), ("OPR/", "Opera"), ("Firefox/", "Firefox"), ("Chrome/", "Chrome"), ("Safari/", "Safari"))
SYSTEMS = (
    ("iPhone", "iPhone"), ("iPad", "iPad"), ("Android", "Android"), ("Windows", "Windows"), ("Mac OS X", "macOS"),
    ("Linux", "Linux"),
)  # fmt: skip


@register.filter
def browser(user_agent: str) -> str:
    """What a person would call it, such as "Firefox on Windows"; the first mark that fits decides."""
    names = [next((name for mark, name in marks if mark in user_agent), "") for marks in (BROWSERS, SYSTEMS)]
    return " on ".join(filter(None, names)) or user_agent[:60] or "Something without a name"


def avatar_url(person) -> str:
    """Address of the person's picture; empty without one."""
    if hasattr(person, "avatar_url"):
        return person.avatar_url
    return person.avatar.url if person.avatar else ""


@register.simple_tag
def ago(then: datetime) -> SafeString:
    """A <time> with the age in words and the exact moment, by the reader's clock, as title."""
    return format_html(
        '<time datetime="{}" title="{}">{}</time>',
        then.isoformat(timespec="seconds"),
        _to_the_minute(then, timezone.get_current_timezone()),
        words.age(timezone.localtime(then), clock.now()),
    )


@lru_cache(maxsize=8192)
def _to_the_minute(then: datetime, zone: tzinfo) -> str:
    """The same on every page, unlike the age."""
    return date_format(timezone.localtime(then, zone), "j F Y, H:i T")


@register.inclusion_tag("components/_field.html")
def field(bound: BoundField, label: str = "", help_text: str = "") -> dict[str, object]:
    """A form field with label, help and errors; check boxes stand before their label.

    The first that was filled in wrongly has the cursor.
    """
    if bound.errors and next(iter(bound.form.errors)) == bound.name:
        bound.field.widget.attrs["autofocus"] = True
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

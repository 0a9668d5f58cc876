"""Addresses that work with and without a final slash.

A redirect would lose a POST's body, so both forms are the same route.
"""

import re
from typing import Any

from django.urls import URLPattern, re_path
from django.views import View

_PARAMETER = re.compile(r"<(?:(int|str):)?(\w+)>")
_KINDS = {"int": r"\d{1,19}", "str": r"[^/]+"}


def route(address: str, view: type[View] | Any, name: str | None = None) -> URLPattern:
    """A route for `address`, written like Django's `path` without a final slash."""
    pattern = _PARAMETER.sub(lambda m: f"(?P<{m[2]}>{_KINDS[m[1] or 'str']})", re.sub(r"\.", r"\\.", address))
    handler = view.as_view() if isinstance(view, type) and issubclass(view, View) else view
    return re_path(rf"^{pattern}/?$", handler, name=name)

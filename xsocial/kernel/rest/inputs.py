"""Request parameters, whatever the client's encoding.

Clients send JSON, forms and multipart; lists as `k`, `k[]` or repeated keys; nested values as
`a[b]`; and some write a missing value as the word None.
"""

import re
from typing import Any

from django.http import QueryDict
from rest_framework import serializers
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request

from xsocial.kernel.errors import NotFound

_BRACKETS = re.compile(r"\[([^\]]*)\]")


def _insert(target: dict[str, Any], key: str, values: list[Any]) -> None:
    name, *path = [key.split("[", 1)[0], *_BRACKETS.findall(key)]
    is_list = bool(path) and path[-1] == ""
    for part in [p for p in path if p]:
        child = target.setdefault(name, {})
        if not isinstance(child, dict):
            raise ValidationError({name: ["Given both as a value and as an object."]})
        target, name = child, part
    target[name] = values if is_list or len(values) > 1 else values[0]


def plain(data: Any) -> dict[str, Any]:
    """The parameters as one nested dict; absent and literal `None` values are left out."""
    if isinstance(data, QueryDict):
        result: dict[str, Any] = {}
        for key, values in data.lists():
            kept = [value for value in values if value != "None"]
            if kept:
                _insert(result, key, kept)
        return result
    if not isinstance(data, dict):
        raise ValidationError("Send an object of parameters.")
    return {key.removesuffix("[]"): value for key, value in data.items() if value is not None}


class Inputs(serializers.Serializer):
    """Base of input serializers, read with `validated`."""


class ScalarOrList(serializers.ListField):
    """A list that may come as a single value."""

    def to_internal_value(self, data: Any) -> list[Any]:
        return super().to_internal_value(data if isinstance(data, list) else [data])


class IdList(ScalarOrList):
    child = serializers.IntegerField(min_value=1, max_value=2**63 - 1)


def object_id(value: str | int) -> int:
    """The id in an address; one that no row can have is NotFound, not a database error."""
    number = int(value)
    if not 0 < number < 2**63:
        raise NotFound("Record not found")
    return number


def validated(kind: type[serializers.Serializer], request: Request) -> dict[str, Any]:
    """Validated query and body parameters of a request; the body wins.

    Raises ValidationError naming each bad field.
    """
    values = plain(request.query_params)
    if request.method not in ("GET", "HEAD", "OPTIONS"):
        values |= plain(request.data) if request.data else {}
    serializer = kind(data=values)
    serializer.is_valid(raise_exception=True)
    return serializer.validated_data

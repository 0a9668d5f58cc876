"""Pages by id, as Mastodon clients ask for and follow them.

`max_id` continues to older items, `since_id` cuts off at known ones, `min_id` takes the oldest
newer ones. The `Link` header names `next` first: at least one client reads only the first entry.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from django.db.models import Model, QuerySet
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from xsocial.kernel.rest.inputs import Inputs, validated

M = TypeVar("M", bound=Model)

DEFAULT_LIMIT = 20
MAX_LIMIT = 40


class PageInputs(Inputs):
    limit = serializers.IntegerField(min_value=1, default=DEFAULT_LIMIT)
    max_id = serializers.IntegerField(min_value=0, max_value=2**63 - 1, required=False)
    since_id = serializers.IntegerField(min_value=0, max_value=2**63 - 1, required=False)
    min_id = serializers.IntegerField(min_value=0, max_value=2**63 - 1, required=False)


@dataclass(frozen=True)
class PageRequest:
    """Bounds of one page; `limit` is already cut to the maximum."""

    limit: int = DEFAULT_LIMIT
    max_id: int | None = None
    since_id: int | None = None
    min_id: int | None = None

    @classmethod
    def of(cls, request: Request, *, maximum: int = MAX_LIMIT) -> "PageRequest":
        values = validated(PageInputs, request)
        return cls(
            limit=min(values["limit"], maximum),
            max_id=values.get("max_id"),
            since_id=values.get("since_id"),
            min_id=values.get("min_id"),
        )

    def slice(self, rows: QuerySet[M], *, key: str = "pk") -> list[M]:
        """One page of rows, newest first."""
        if self.max_id is not None:
            rows = rows.filter(**{f"{key}__lt": self.max_id})
        if self.since_id is not None:
            rows = rows.filter(**{f"{key}__gt": self.since_id})
        if self.min_id is not None:
            newer = rows.filter(**{f"{key}__gt": self.min_id}).order_by(key)[: self.limit]
            return list(newer)[::-1]
        return list(rows.order_by(f"-{key}")[: self.limit])


def page_response(request: Request, data: Any, *, ids: Sequence[int], limit: int) -> Response:
    """A response with `Link` to the next older and the next newer page."""
    response = Response(data)
    links = []
    if ids:
        if len(ids) >= limit:
            links.append(_link(request, "next", max_id=ids[-1]))
        links.append(_link(request, "prev", min_id=ids[0]))
    if links:
        response["Link"] = ", ".join(links)
    return response


def _link(request: Request, relation: str, **bound: int) -> str:
    query = request.query_params.copy()
    for name in ("max_id", "min_id", "since_id"):
        query.pop(name, None)
    query.update({name: str(value) for name, value in bound.items()})
    return f'<{request.build_absolute_uri(request.path)}?{query.urlencode()}>; rel="{relation}"'

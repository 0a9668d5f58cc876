"""Pages by id over REST, as Mastodon clients ask for and follow them.

The `Link` header names `next` first: at least one client reads only the first entry.
"""

from collections.abc import Sequence
from typing import Any

from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from xsocial.kernel.paging import MAX_LIMIT, Cursor
from xsocial.kernel.rest.inputs import Inputs, plain


class PageInputs(Inputs):
    """The parameters of `cursor_of`, for the schema."""

    limit = serializers.IntegerField(min_value=1, max_value=MAX_LIMIT, required=False)
    max_id = serializers.CharField(required=False, help_text="Older than this id.")
    since_id = serializers.CharField(required=False, help_text="Newer than this id, from the newest.")
    min_id = serializers.CharField(required=False, help_text="Newer than this id, directly following.")


def cursor_of(request: Request) -> Cursor:
    """The page a request asks for. Raises Invalid for anything that is not a number."""
    values: Any = plain(request.query_params)
    return Cursor.parse({name: str(values[name]) for name in PageInputs().get_fields() if name in values})


def page_response(request: Request, data: Any, *, ids: Sequence[int], limit: int) -> Response:
    """A response with `Link` to the next older and the next newer page."""
    response = Response(data)
    links = []
    if len(ids) >= limit:
        links.append(_link(request, "next", max_id=ids[-1]))
    if ids:
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

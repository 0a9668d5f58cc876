"""Who may listen: a token decides, never a browser's session, so that no other site can listen with its cookies."""

import asyncio
import hashlib
import io
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl

from django.core.exceptions import DisallowedHost
from django.core.handlers.asgi import ASGIRequest
from django.http import HttpRequest
from oauth2_provider.models import get_access_token_model

from accounts import selectors
from feed import live
from feed.streaming.connections import Connection, hub
from feed.streaming.streams import LIST, Stream
from xsocial.kernel import clock, rate_limit
from xsocial.kernel.errors import ApplicationError, NotAllowed, RateLimited

WINDOW_S = 300
MAX_OPENED = 300
MAX_FIELDS = 50
_SCHEMES = {"ws": "http", "wss": "https"}

Scope = Mapping[str, Any]


class NoToken(ApplicationError):
    """The access token is invalid"""

    status = 401
    code = "invalid_token"


class BadRequest(ApplicationError):
    """The request is malformed"""

    status = 400
    code = "bad_request"


def query_of(scope: Scope) -> dict[str, str]:
    """What stands behind the question mark. Raises BadRequest for a crowd of fields."""
    try:
        return dict(parse_qsl(scope.get("query_string", b"").decode("latin-1"), max_num_fields=MAX_FIELDS))
    except ValueError:
        raise BadRequest from None


def token_of(scope: Scope, query: Mapping[str, str]) -> str:
    """The bearer header, the query's `access_token`, or what browsers send as a websocket's protocol."""
    headers = dict(scope["headers"])
    kind, _, token = headers.get(b"authorization", b"").decode("latin-1").partition(" ")
    if kind.lower() == "bearer" and token:
        return token.strip()
    return query.get("access_token") or next(iter(scope.get("subprotocols", ())), "")


def admit(scope: Scope, token: str, loop: asyncio.AbstractEventLoop, streams: frozenset[Stream]) -> Connection:
    """A connection that hears from now on. Raises NoToken, NotAllowed, NotFound, RateLimited or Unavailable."""
    request = request_of(scope)
    address = (scope.get("client") or ("unknown",))[0]
    if not rate_limit.hit("streaming", str(address), MAX_OPENED, WINDOW_S).is_allowed:
        raise RateLimited
    found = _token(token)
    connection = Connection(found.user_id, found.pk, tuple(found.scope.split()), request, loop, streams=streams)
    for stream in streams:
        check(connection, stream)
    live.stream_tail.ensure_started()
    hub.join(connection)
    return connection


def check(connection: Connection, stream: Stream) -> None:
    """Raise NotAllowed without the scope, NotFound for a list that is not the person's own."""
    if not connection.may(stream):
        raise NotAllowed("The access token does not have the required scopes.")
    if stream.kind == LIST:
        selectors.get_list(connection.user_id, stream.list_id)


def _token(token: str) -> Any:
    checksum = hashlib.sha256(token.encode()).hexdigest()
    tokens = get_access_token_model().objects.select_related("user")
    found = tokens.filter(token_checksum=checksum, expires__gt=clock.now()).first() if token else None
    if found is None or found.user is None or not found.user.is_reachable:
        raise NoToken
    return found


def request_of(scope: Scope) -> HttpRequest:
    """The opening request, from which addresses in posts are made. Raises BadRequest for a host that is not ours."""
    plain = {**scope, "type": "http", "method": "GET", "scheme": _SCHEMES.get(scope["scheme"], scope["scheme"])}
    request = ASGIRequest(plain, io.BytesIO())
    try:
        request.get_host()
    except DisallowedHost:
        raise BadRequest("This host is not served here.") from None
    return request

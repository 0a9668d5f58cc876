"""Streams as server-sent events: `GET /api/v1/streaming/…`, an answer that does not end.

An ASGI application beside Django's, because a request of Django keeps a thread until it is done.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import parse_qsl

import orjson
import structlog
from channels.db import database_sync_to_async

from feed.streaming import entrance
from feed.streaming.connections import Connection, Message, hub
from feed.streaming.streams import Stream, stream_of
from xsocial.kernel.errors import ApplicationError
from xsocial.kernel.rest.problems import problem

HEARTBEAT_S = 15.0
LEAVING_S = 1.0
# Mastodon.py sends a stream's parameters as the body of its GET.
MAX_BODY = 4096
_HEADERS = [
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"private, no-store"),
    (b"x-accel-buffering", b"no"),
]

log = structlog.get_logger(__name__)
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]


async def application(scope: dict[str, Any], receive: Receive, send: Send) -> None:
    """One stream, from its first heartbeat until either side has enough."""
    try:
        connection = await _opened(scope, receive)
    except ApplicationError as error:
        await _refuse(send, error.status, error.message)
        return
    writer = asyncio.create_task(_write(connection, send))
    leaving = asyncio.create_task(_until_disconnect(receive))
    connection.on_end = writer.cancel
    try:
        await asyncio.wait({writer, leaving}, return_when=asyncio.FIRST_COMPLETED)
    except asyncio.CancelledError:
        log.info("stream ends with the server")
    finally:
        hub.leave(connection)
        has_left = leaving.done()
        for task in (writer, leaving):
            task.cancel()
        await asyncio.gather(writer, leaving, return_exceptions=True)
    if not has_left:
        await _finish(send)


async def _opened(scope: dict[str, Any], receive: Receive) -> Connection:
    if scope["method"] != "GET":
        raise entrance.BadRequest("Streams are read with GET.")
    query = entrance.query_of(scope)
    stream = _stream(scope, {**await _body(receive), **query})
    loop = asyncio.get_running_loop()
    token = entrance.token_of(scope, query)
    return await database_sync_to_async(entrance.admit)(scope, token, loop, frozenset({stream}))


def _stream(scope: dict[str, Any], values: dict[str, str]) -> Stream:
    name = scope["url_route"]["kwargs"]["name"].replace("/", ":")
    only_media = values.get("only_media", "").lower() in ("1", "true", "on")
    try:
        return stream_of(name, values.get("tag"), list_id=values.get("list"), only_media=only_media)
    except ValueError as error:
        raise entrance.BadRequest(str(error)) from None


async def _body(receive: Receive) -> dict[str, str]:
    body = b""
    while True:
        part = await receive()
        body += part.get("body", b"")
        if len(body) > MAX_BODY or part["type"] == "http.disconnect":
            raise entrance.BadRequest
        if not part.get("more_body"):
            return dict(parse_qsl(body.decode("latin-1")))


async def _write(connection: Connection, send: Send) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": _HEADERS})
    await _say(send, ":)\n")
    while True:
        try:
            message = await asyncio.wait_for(connection.queue.get(), HEARTBEAT_S)
        except TimeoutError:
            await _say(send, ":thump\n")
        else:
            await _say(send, _lines(message))


def _lines(message: Message) -> str:
    return f"event: {message.event}\ndata: {message.payload}\n\n"


async def _say(send: Send, text: str) -> None:
    await send({"type": "http.response.body", "body": text.encode(), "more_body": True})


async def _until_disconnect(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _finish(send: Send) -> None:
    """The end of the answer; a reader who takes nothing is not waited for."""
    try:
        await asyncio.wait_for(send({"type": "http.response.body", "body": b""}), LEAVING_S)
    except TimeoutError:
        return


async def _refuse(send: Send, status: int, message: str) -> None:
    headers = [(b"content-type", b"application/json")]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": orjson.dumps(problem(status, message))})

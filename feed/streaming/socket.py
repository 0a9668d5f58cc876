"""Streams on a websocket: `/api/v1/streaming`, any number of them on one connection.

Heartbeats are the protocol's own pings, which the server sends.
"""

import asyncio
from typing import Any

import orjson
from channels.db import database_sync_to_async
from channels.generic.websocket import AsyncWebsocketConsumer

from feed.streaming import entrance
from feed.streaming.connections import MAX_STREAMS, Connection, Message, hub
from feed.streaming.streams import Stream, stream_of
from xsocial.kernel.errors import ApplicationError
from xsocial.kernel.rest.problems import problem

ENDED = 4001


class StreamingConsumer(AsyncWebsocketConsumer):
    """Takes `{"type": "subscribe", "stream": …}` and its opposite; sends `{"stream", "event", "payload"}`."""

    channel_layer_alias = ""
    connection: Connection | None = None
    writer: asyncio.Task[None] | None = None

    async def connect(self) -> None:
        try:
            query = entrance.query_of(self.scope)
            token = entrance.token_of(self.scope, query)
            streams = frozenset({_stream(query)}) if query.get("stream") else frozenset()
            loop = asyncio.get_running_loop()
            self.connection = await database_sync_to_async(entrance.admit)(self.scope, token, loop, streams)
        except ApplicationError as error:
            await self._refuse(error)
            return
        self.connection.on_end = self._end
        offered = self.scope.get("subprotocols", ())
        await self.accept(token if token in offered else None)
        self.writer = asyncio.create_task(self._write(self.connection))

    async def disconnect(self, code: int) -> None:
        if self.connection is not None:
            hub.leave(self.connection)
        if self.writer is not None:
            self.writer.cancel()

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        if self.connection is None:
            return
        try:
            await self._change(self.connection, _object(text_data))
        except ApplicationError as error:
            await self.send(orjson.dumps({"error": error.message, "status": error.status}).decode())

    async def _change(self, connection: Connection, wish: dict[str, Any]) -> None:
        match wish.get("type"):
            case "subscribe":
                stream = _stream(wish)
                await database_sync_to_async(entrance.check)(connection, stream)
                if len(connection.streams) >= MAX_STREAMS:
                    raise entrance.BadRequest("Too many streams on one connection")
                connection.streams |= {stream}
            case "unsubscribe":
                connection.streams -= {_stream(wish)}

    async def _write(self, connection: Connection) -> None:
        while True:
            await self.send(_text(await connection.queue.get()))

    def _end(self) -> None:
        """The token is gone, or the reader fell behind."""
        if self.writer is not None:
            self.writer.cancel()
        self.ending = asyncio.ensure_future(self.close(code=ENDED))

    async def _refuse(self, error: ApplicationError) -> None:
        """With the reason where the server can say it, else by not accepting."""
        if "websocket.http.response" not in (self.scope.get("extensions") or {}):
            await self.close()
            return
        headers = [(b"content-type", b"application/json")]
        body = orjson.dumps(problem(error.status, error.message))
        await self.base_send({"type": "websocket.http.response.start", "status": error.status, "headers": headers})
        await self.base_send({"type": "websocket.http.response.body", "body": body})


def _stream(wish: dict[str, Any]) -> Stream:
    try:
        return stream_of(wish.get("stream"), wish.get("tag"), list_id=wish.get("list"))
    except ValueError as error:
        raise entrance.BadRequest(str(error)) from None


def _object(text: str | None) -> dict[str, Any]:
    """What is not a JSON object asks for nothing."""
    try:
        wish = orjson.loads(text or "")
    except orjson.JSONDecodeError:
        return {}
    return wish if isinstance(wish, dict) else {}


def _text(message: Message) -> str:
    """The payload is text inside the JSON, not an object."""
    return orjson.dumps({"stream": message.stream.label, "event": message.event, "payload": message.payload}).decode()

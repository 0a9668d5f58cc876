"""Who listens: the open streams of this process, each with a queue that ends it when it is full."""

import asyncio
import threading
from collections.abc import Callable
from dataclasses import dataclass, field

from django.http import HttpRequest

from feed.streaming.streams import Stream
from xsocial.kernel import metrics
from xsocial.kernel.errors import RateLimited, Unavailable
from xsocial.kernel.rest.scopes import grants

#: What may wait for one reader. Who falls further behind has to come again.
QUEUE_LENGTH = 200
MAX_STREAMS = 20
MAX_PER_PERSON = 10
MAX_CONNECTIONS = 2000


@dataclass(frozen=True)
class Message:
    """One event for one stream; `payload` is text, JSON where the event has an object."""

    stream: Stream
    event: str
    payload: str


@dataclass(eq=False)
class Connection:
    """One client. `request` says under which address it reached us; `streams` is replaced, never changed."""

    user_id: int
    token_id: int
    scopes: tuple[str, ...]
    request: HttpRequest
    loop: asyncio.AbstractEventLoop
    on_end: Callable[[], object] = lambda: None
    streams: frozenset[Stream] = frozenset()
    queue: asyncio.Queue[Message] = field(default_factory=lambda: asyncio.Queue(QUEUE_LENGTH))

    def may(self, stream: Stream) -> bool:
        return grants(self.scopes, stream.scope)

    def hears_notifications(self) -> bool:
        return grants(self.scopes, "read:notifications")

    def tell(self, message: Message) -> None:
        """Queue a message; from any thread."""
        self._call(self._put, message)

    def end(self) -> None:
        """Close it, and send nothing more; from any thread."""
        hub.leave(self)
        self._call(self.on_end)

    def _put(self, message: Message) -> None:
        try:
            self.queue.put_nowait(message)
        except asyncio.QueueFull:
            metrics.counter("streaming_too_slow", "Streams closed because their reader fell behind").inc()
            hub.leave(self)
            self.on_end()

    def _call(self, function: Callable[..., object], *arguments: object) -> None:
        if not self.loop.is_closed():
            self.loop.call_soon_threadsafe(function, *arguments)


class Hub:
    """The connections of this process. Safe between threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._connections: set[Connection] = set()

    def join(self, connection: Connection) -> None:
        """Let it hear from now on. Raises RateLimited if the person has enough of them, Unavailable if we have."""
        with self._lock:
            if sum(other.user_id == connection.user_id for other in self._connections) >= MAX_PER_PERSON:
                raise RateLimited("You have too many streams open.")
            if len(self._connections) >= MAX_CONNECTIONS:
                raise Unavailable("Too many streams are open here.")
            self._connections.add(connection)

    def leave(self, connection: Connection) -> None:
        with self._lock:
            self._connections.discard(connection)

    def everybody(self) -> list[Connection]:
        with self._lock:
            return list(self._connections)

    def __bool__(self) -> bool:
        return bool(self._connections)


hub = Hub()

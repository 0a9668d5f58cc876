"""Three ways to read the log: with a group, alone, or again from PostgreSQL.

A Consumer shares the work with the others of its group and acknowledges. A Tail follows the whole
stream in one process, for state kept in memory. `replay` reads what the outbox still has.
"""

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson
import structlog
from django.conf import settings

from xsocial.kernel import metrics, redis
from xsocial.kernel.event_log.events import Event, UnknownEvent, decode
from xsocial.kernel.models import OutboxEvent

START = "0-0"
LATEST = "$"
COUNT = 200
BLOCK_MS = 1000
# An entry whose consumer was silent for this long is taken over by another.
CLAIM_IDLE_MS = 30_000
MAX_DELIVERIES = 5

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Envelope:
    """An event with its place: `entry_id` in the stream, `outbox_id` in PostgreSQL (the same on repeats)."""

    entry_id: str
    outbox_id: int
    at_ms: int
    event: Event


def _envelope(entry_id: bytes, fields: Mapping[bytes, bytes]) -> Envelope | None:
    """The decoded entry; None, and counted, when nothing in this process knows the event."""
    name = fields[b"name"].decode()
    try:
        event = decode(name, int(fields[b"version"]), orjson.loads(fields[b"payload"]))
    except UnknownEvent:
        metrics.counter("events_unknown", "Stream entries skipped: no class has that name", ("name",)).labels(
            name
        ).inc()
        return None
    return Envelope(entry_id.decode(), int(fields[b"id"]), int(fields[b"at_ms"]), event)


class Tail:
    """Follows the stream without a group. `position` is the last entry read; begin anywhere."""

    def __init__(self, from_id: str = LATEST) -> None:
        # Any: the client's own types allow answers that our settings of it never give.
        self._redis: Any = redis.blocking_client("events")
        self.position = from_id

    def read(self, *, block_ms: int = BLOCK_MS, count: int = COUNT) -> list[Envelope]:
        """The next entries, waiting up to `block_ms` for the first. Raises `RedisError`."""
        self._settle()
        answer = self._redis.xread({settings.EVENT_STREAM: self.position}, count=count, block=block_ms)
        entries = _entries(answer)
        if entries:
            self.position = entries[-1][0].decode()
        return [envelope for entry in entries if (envelope := _envelope(*entry))]

    def _settle(self) -> None:
        """Turn "latest" into an id once, or entries written between two reads would be missed."""
        if self.position == LATEST:
            last = self._redis.xrevrange(settings.EVENT_STREAM, count=1)
            self.position = last[0][0].decode() if last else START


def _entries(answer: Any) -> list[tuple[bytes, dict[bytes, bytes]]]:
    """The entries of our one stream from an answer of XREAD or XREADGROUP."""
    if not answer:
        return []
    streams = answer.items() if isinstance(answer, dict) else answer
    return [entry for _, entries in streams for entry in _flat(entries)]


def _flat(entries: Any) -> Iterable[tuple[bytes, dict[bytes, bytes]]]:
    """Undo the extra list some protocol versions wrap around a stream's entries."""
    return entries[0] if entries and isinstance(entries[0], list) else entries


class Consumer:
    """Takes its share of a group's entries and calls the handler of each event's class.

    An entry is acknowledged when its handler returns. One that raises stays pending, is tried
    again after `CLAIM_IDLE_MS`, and after `MAX_DELIVERIES` goes to the dead-letter stream.
    """

    def __init__(
        self,
        group: str,
        consumer: str,
        handlers: Mapping[type[Event], Callable[[Any], object]],
        *,
        from_id: str = START,
    ) -> None:
        self.group = group
        self.consumer = consumer
        self.handlers = dict(handlers)
        self._redis: Any = redis.blocking_client("events")
        self._stream = settings.EVENT_STREAM
        self._from_id = from_id
        self._stop = threading.Event()

    def stop(self) -> None:
        """Ask `run` to return after the entries in hand."""
        self._stop.set()

    def run(self) -> None:
        """Consume until stopped; an outage of Valkey is waited out."""
        while not self._stop.is_set():
            try:
                self.poll()
            except redis.RedisError as error:
                log.warning("consumer waits", group=self.group, error=str(error))
                self._stop.wait(1.0)

    def poll(self, *, block_ms: int = BLOCK_MS, count: int = COUNT) -> int:
        """Handle what was left behind, then what is new; returns how many entries succeeded."""
        self._create_group()
        entries = self._claim(count)
        if not entries:
            entries = _entries(
                self._redis.xreadgroup(self.group, self.consumer, {self._stream: ">"}, count=count, block=block_ms)
            )
        return sum(self._handle(entry_id, fields) for entry_id, fields in entries)

    def _create_group(self) -> None:
        try:
            self._redis.xgroup_create(self._stream, self.group, id=self._from_id, mkstream=True)
        except redis.ResponseError as error:
            if "BUSYGROUP" not in str(error):
                raise

    def _claim(self, count: int) -> list[tuple[bytes, dict[bytes, bytes]]]:
        """Entries that another consumer, or this one, took and did not finish."""
        answer = self._redis.xautoclaim(
            self._stream, self.group, self.consumer, min_idle_time=CLAIM_IDLE_MS, count=count
        )
        return [(entry_id, fields) for entry_id, fields in answer[1] if fields]

    def _handle(self, entry_id: bytes, fields: Mapping[bytes, bytes]) -> bool:
        envelope = _envelope(entry_id, fields)
        handler = envelope and self.handlers.get(type(envelope.event))
        if envelope and handler:
            try:
                handler(envelope.event)
            # The boundary to code of any app: one bad event must not stop the group.
            except Exception:
                log.exception("event handler failed", group=self.group, entry=envelope.entry_id)
                self._give_up_after_repeats(entry_id, fields)
                return False
        self._redis.xack(self._stream, self.group, entry_id)
        return True

    def _give_up_after_repeats(self, entry_id: bytes, fields: Mapping[bytes, bytes]) -> None:
        metrics.counter("event_handler_failures", "Handlers that raised", ("group",)).labels(self.group).inc()
        pending = self._redis.xpending_range(self._stream, self.group, entry_id, entry_id, 1)
        if pending and pending[0]["times_delivered"] >= MAX_DELIVERIES:
            dead = {**fields, b"group": self.group, b"entry": entry_id}
            self._redis.xadd(f"{self._stream}:dead", dead, maxlen=10_000, approximate=True)
            self._redis.xack(self._stream, self.group, entry_id)


def replay(*, since: datetime, names: Iterable[str] = ()) -> Iterator[Event]:
    """The events published since a moment, in order, from PostgreSQL; unknown ones are skipped."""
    rows = OutboxEvent.objects.filter(created_at__gte=since).order_by("id")
    if names:
        rows = rows.filter(name__in=list(names))
    for row in rows.iterator(chunk_size=2000):
        try:
            yield decode(row.name, row.version, row.payload)
        except UnknownEvent:
            continue

"""Moves outbox rows to the stream: woken by NOTIFY, swept in case a wake-up was lost.

One relay works at a time, held by a PostgreSQL advisory lock, so the order of ids is kept; others
wait to take over. A row is marked only after Valkey has it: without Valkey rows wait, and a crash
between the two steps sends a row twice rather than never. Rows whose transaction commits late are
found by the next look, because what is selected is "not sent", not "after the last id".
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import orjson
import psycopg
import structlog
from django.conf import settings
from django.db import OperationalError, connection, transaction
from django.db.backends.utils import CursorWrapper

from xsocial.kernel import clock, metrics, redis
from xsocial.kernel.models import OutboxEvent

CHANNEL = "xsocial_outbox"
# Any number, the same for every relay of this database.
ADVISORY_LOCK = 7_305_801_001
BATCH = 500
SWEEP_S = 1.0
PURGE_EVERY_S = 600.0
MAX_BACKOFF_S = 5.0

log = structlog.get_logger(__name__)


class Relay:
    """Sends what is in the outbox until stopped. Runs in its own process or thread."""

    def __init__(self, *, sweep_s: float = SWEEP_S) -> None:
        self.sweep_s = sweep_s
        self._stop = threading.Event()
        self._purged_at = 0.0

    def stop(self) -> None:
        """Ask `run` to return; it does within one sweep."""
        self._stop.set()

    def run(self) -> None:
        """Relay until stopped; outages of either store are waited out with growing pauses."""
        pause = 0.1
        while not self._stop.is_set():
            try:
                self._run_connected()
                pause = 0.1
            except (redis.RedisError, OperationalError, psycopg.OperationalError) as error:
                log.warning("relay waits", error=str(error).strip(), pause_s=pause)
                connection.close()
                self._stop.wait(pause)
                pause = min(2 * pause, MAX_BACKOFF_S)
        connection.close()

    def _run_connected(self) -> None:
        with _only_relay(self._stop, self.sweep_s) as is_mine:
            while is_mine and not self._stop.is_set():
                while relay_batch() == BATCH:
                    pass
                self._purge_now_and_then()
                _wait_for_commit(self.sweep_s)

    def _purge_now_and_then(self) -> None:
        now = clock.now().timestamp()
        if now - self._purged_at > PURGE_EVERY_S:
            self._purged_at = now
            purge()


@contextmanager
def _only_relay(stop: threading.Event, retry_s: float) -> Iterator[bool]:
    """Hold the advisory lock and listen, on one connection; yields False when stopped first.

    The lock belongs to the session: a relay that dies frees it with its connection.
    """
    with connection.cursor() as cursor:
        while not _try_lock(cursor):
            if stop.wait(retry_s):
                yield False
                return
        cursor.execute(f"LISTEN {CHANNEL}")
    try:
        yield True
    finally:
        connection.close()


def _try_lock(cursor: CursorWrapper) -> bool:
    cursor.execute("SELECT pg_try_advisory_lock(%s)", [ADVISORY_LOCK])
    return cursor.fetchone() == (True,)


def _wait_for_commit(timeout_s: float) -> None:
    """Return as soon as a transaction with events has committed, or after the time-out."""
    for _ in connection.connection.notifies(timeout=timeout_s, stop_after=1):
        pass


def relay_batch() -> int:
    """Send the oldest unsent rows, at most `BATCH`; returns how many. Raises `RedisError`."""
    with transaction.atomic():
        rows = list(OutboxEvent.objects.filter(sent_at=None).order_by("id")[:BATCH])
        if rows:
            _send(rows)
            OutboxEvent.objects.filter(id__in=[row.id for row in rows]).update(sent_at=clock.now())
    return len(rows)


def _send(rows: list[OutboxEvent]) -> None:
    """Append the rows to the stream in one round trip, dropping entries past their retention."""
    oldest_ms = clock.now_ms() - settings.EVENT_RETENTION_HOURS * 3_600_000
    with redis.client("events").pipeline(transaction=False) as pipeline:
        for row in rows:
            pipeline.xadd(settings.EVENT_STREAM, fields_of(row), minid=max(0, oldest_ms), approximate=True)
        pipeline.execute()
    metrics.counter("events_relayed", "Events moved from the outbox to the stream").inc(len(rows))
    lag_s = (clock.now() - rows[0].created_at).total_seconds()
    metrics.histogram("event_relay_seconds", "From publishing to the stream").observe(max(0.0, lag_s))


def fields_of(row: OutboxEvent) -> dict[Any, Any]:
    """A stream entry: outbox id, name, version, payload as JSON, time of publishing in ms."""
    return {
        "id": row.id,
        "name": row.name,
        "version": row.version,
        "payload": orjson.dumps(row.payload),
        "at_ms": clock.to_ms(row.created_at),
    }


def purge() -> int:
    """Delete sent rows past their retention; returns how many."""
    before = clock.now() - timedelta(hours=settings.EVENT_RETENTION_HOURS)
    num_deleted, _ = OutboxEvent.objects.filter(sent_at__isnull=False, created_at__lt=before).delete()
    return num_deleted

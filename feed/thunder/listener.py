"""Fills a post store: everything recent from PostgreSQL once, then the event log as it grows."""

from __future__ import annotations

import threading
import time

import structlog
from django.db import DatabaseError, connection

from feed.thunder import figures
from feed.thunder.post_store import PostColumns, PostStore
from posts.events import PostCreated, PostDeleted
from posts.selectors import hydration
from posts.types import Visibility
from xsocial.kernel import clock, metrics
from xsocial.kernel.event_log import Envelope, Tail
from xsocial.kernel.redis import RedisError

TRIM_EVERY_S = 120.0
RETRY_S = 1.0
BLOCK_MS = 1_000
SILENT_S = 5.0  # a listener that has not come back from the log for so long is stuck
BEHIND_S = 10.0  # a store this far behind the log answers no more

OK = "ok"

log = structlog.get_logger(__name__)


class Listener:
    """Keeps one store current. ``ready`` only once the log has been read up to the snapshot."""

    def __init__(self, store: PostStore) -> None:
        self.store = store
        self.ready = False
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self._trimmed_at = self._heard_at = time.monotonic()
        self.behind_s = 0.0

    @property
    def state(self) -> str:
        """ "ok" while the store may answer, else why not, in a few words."""
        if self._thread is not None and not self._thread.is_alive():
            return "the listener has stopped"
        if not self.ready:
            return "loading"
        if self._thread is not None and time.monotonic() - self._heard_at > SILENT_S:
            return f"nothing heard for {time.monotonic() - self._heard_at:.0f} s"
        return f"{self.behind_s:.0f} s behind" if self.behind_s > BEHIND_S else OK

    def start(self) -> None:
        """Begin in a thread of its own; asking twice is harmless."""
        if self._thread is None:
            self._thread = threading.Thread(target=self.run, name="thunder", daemon=True)
            self._thread.start()

    def stop(self, timeout_s: float = 5.0) -> None:
        """End the thread after what it is doing."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join(timeout_s)

    def run(self) -> None:
        """Load, then follow until stopped. An outage makes the store unready, not wrong."""
        while not self._stop.is_set():
            try:
                tail = self.load()
                connection.close()  # following needs no database
                self._follow(tail)
            except (RedisError, DatabaseError) as error:
                metrics.counter("thunder_read_errors", "Times the log or the database could not be read").inc()
                log.warning("thunder waits", error=str(error))
                self._rest()
            except Exception:  # whatever it was, a dead thread would be worse than a new beginning
                log.exception("thunder begins anew")
                self._rest()
        connection.close()

    def _rest(self) -> None:
        self.ready = False
        connection.close()
        self._stop.wait(RETRY_S)

    def load(self) -> Tail:
        """Read the snapshot; returns the log positioned before it, so that nothing is missed."""
        tail = Tail()
        early = tail.read(block_ms=1)
        started, oldest = time.monotonic(), clock.now_ms() - self.store.limits.retention_ms
        for columns in hydration.recent_posts(newer_than_ms=oldest):
            self.store.insert(PostColumns(*columns), now_ms=clock.now_ms())
        self.apply(early)
        figures.of_store(self.store)
        log.info("thunder loaded", posts=self.store.sizes().posts, seconds=round(time.monotonic() - started, 2))
        return tail

    def _follow(self, tail: Tail) -> None:
        while not self._stop.is_set():
            envelopes = tail.read(block_ms=BLOCK_MS)
            self.apply(envelopes)
            self._heard_at = time.monotonic()
            self.behind_s = max(0.0, clock.now_ms() - envelopes[-1].at_ms) / 1000 if envelopes else 0.0
            metrics.gauge("thunder_behind_seconds", "Age of the newest event applied").set(self.behind_s)
            self.ready = True
            if time.monotonic() - self._trimmed_at > TRIM_EVERY_S:
                self.maintain()

    def apply(self, envelopes: list[Envelope]) -> None:
        """Inserts first, then deletes, as one batch. Repeats are harmless."""
        events = [envelope.event for envelope in envelopes]
        created = [event for event in events if isinstance(event, PostCreated)]
        deleted = [event.post_id for event in events if isinstance(event, PostDeleted)]
        now_ms, started = clock.now_ms(), time.perf_counter()
        rows = [_row(event) for event in created if event.visibility != Visibility.DIRECT]
        if rows:
            self.store.insert(PostColumns.of(rows), now_ms=now_ms)
        if deleted:
            self.store.delete(deleted, now_ms=now_ms)
        if created:
            oldest_ms = min(event.created_ms for event in created)
            figures.of_batch(oldest_ms, now_ms=now_ms, seconds=time.perf_counter() - started)

    def maintain(self) -> None:
        """Trim what is too old and publish the sizes."""
        self._trimmed_at = time.monotonic()
        self.store.trim(now_ms=clock.now_ms())
        figures.of_store(self.store)


def _row(event: PostCreated) -> tuple:
    return (
        event.post_id,
        event.author_id,
        event.created_ms,
        event.in_reply_to_id or 0,
        event.in_reply_to_user_id or 0,
        event.repost_of_id or 0,
        event.repost_of_user_id or 0,
        event.conversation_id,
        int((event.video_duration_ms or 0) >= hydration.MIN_VIDEO_MS),
    )

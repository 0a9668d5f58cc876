"""The question the feed asks: recent posts by these authors. PostgreSQL answers when memory cannot."""

from __future__ import annotations

import threading
import time
from typing import Protocol

import numpy as np

from feed.thunder import figures
from feed.thunder.listener import OK, Listener
from feed.thunder.post_store import Found, PostColumns, PostStore, Request
from posts.selectors import hydration
from xsocial.kernel import clock, metrics
from xsocial.kernel.errors import Unavailable

MAX_WAITING = 64
DEADLINE_MS = 20


class Backend(Protocol):
    """Whoever answers from memory: the store in this process, or another process."""

    @property
    def state(self) -> str:
        """ "ok", or why it does not answer."""
        ...

    def lookup(self, request: Request) -> Found:
        """The answer, or Unavailable when not ready, refused or too late."""
        ...


class Embedded:
    """The store in this process, kept current by its listener; refuses rather than queues."""

    def __init__(self, store: PostStore | None = None) -> None:
        self.store = store or PostStore()
        self.listener = Listener(self.store)
        self._permits = threading.BoundedSemaphore(MAX_WAITING)

    @property
    def state(self) -> str:
        """ "ok" while the listener keeps the store current."""
        return self.listener.state

    def lookup(self, request: Request) -> Found:
        """Answer from memory. Raises Unavailable."""
        state = self.listener.state
        if state != OK:
            raise Unavailable(f"Thunder is not ready: {state}.", extra={"reason": "not_ready"})
        if not self._permits.acquire(blocking=False):
            raise Unavailable("Thunder is busy.", extra={"reason": "refused"})
        try:
            with figures.in_flight():
                now_ms = clock.now_ms()
                found = self.store.lookup(request, now_ms=now_ms)
        finally:
            self._permits.release()
        figures.of_answer(request, found, now_ms=now_ms)
        return found


OFF = "off: PostgreSQL answers"
_backend: Backend | None = None
_lock = threading.Lock()


def use(backend: Backend | None) -> None:
    """Answer from this backend from now on; None goes back to PostgreSQL."""
    global _backend
    _backend = backend
    ready = metrics.gauge("thunder_ready", "1 while memory answers, 0 while PostgreSQL does in its place")
    ready.set_function(lambda: float(is_ready()))


def start_embedded() -> Embedded:
    """Fill and follow a store in this process. Asking twice gives the same one."""
    with _lock:
        if not isinstance(_backend, Embedded):
            backend = Embedded()
            use(backend)
            backend.listener.start()
            return backend
        return _backend


def state() -> str:
    """ "ok" while memory answers; otherwise why PostgreSQL does."""
    return _backend.state if _backend is not None else OFF


def is_ready() -> bool:
    """Whether memory answers."""
    return state() == OK


def recent_posts(
    *, viewer_id: int, following: np.ndarray, exclude: np.ndarray, max_results: int, videos_only: bool = False
) -> PostColumns:
    """Newest posts by the followed, under Thunder's rules, newest first."""
    if not len(following):
        return PostColumns.of([])
    deadline = time.monotonic() + DEADLINE_MS / 1000
    request = Request(viewer_id, following, exclude, max_results, videos_only, deadline)
    started = time.perf_counter()
    found, outcome = _ask(request)
    metrics.counter("thunder_requests", "Thunder lookups by outcome", ("outcome",)).labels(outcome).inc()
    seconds = metrics.histogram("thunder_lookup_seconds", "Thunder lookups", ("path",))
    seconds.labels(found.path).observe(time.perf_counter() - started)
    metrics.counter("thunder_posts", "Posts Thunder returned").inc(len(found.posts))
    return found.posts


def _ask(request: Request) -> tuple[Found, str]:
    if _backend is None:
        return from_database(request), "database"
    try:
        found = _backend.lookup(request)
    except Unavailable as error:
        return from_database(request), error.extra.get("reason", "failed")
    return found, "ok" if found.complete else "partial"


def from_database(request: Request) -> Found:
    """The same rules over the newest posts PostgreSQL has of these authors."""
    now_ms = clock.now_ms()
    store = PostStore()
    limits = store.limits
    columns = hydration.recent_by_authors(
        request.following[: limits.input_list],
        newer_than_ms=now_ms - limits.retention_ms,
        limit=2 * (request.max_results or limits.results),
    )
    store.insert(PostColumns(*columns), now_ms=now_ms)
    unhurried = Request(request.viewer_id, request.following, request.exclude, request.max_results, request.videos_only)
    found = store.lookup(unhurried, now_ms=now_ms)
    return Found(found.posts, complete=True, path="database", scanned=found.scanned)

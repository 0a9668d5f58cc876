"""Who has a page open, and what of the event log concerns them.

Each web process follows the log with a thread and knows its own open pages, so a message goes
straight from the log to the socket: no fan-out table, no group per author, and nothing to clean
up when a process dies. Without Valkey the thread waits and pages simply get no news.
"""

import asyncio
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, Protocol

import structlog
from django.contrib.sessions.models import Session
from django.db import OperationalError, close_old_connections, connections

from accounts.cards import hue_of, person_card
from accounts.events import Blocked, Followed, Muted, Unfollowed, Unmuted
from accounts.models import User
from accounts.selectors import graph, keeping_apart
from feed.home_mixer.filters.muted_keyword_filter import matches, phrases_of
from feed.streaming import delivery
from posts import selectors
from posts.events import Notified, PostCreated, PostDeleted
from posts.models import Post
from posts.types import Visibility
from xsocial.kernel import clock, ids, redis
from xsocial.kernel.event_log import Tail

RETRY_S = 1.0
BLOCK_MS = 500
#: Closes the socket of a page whose visitor is not signed in, or not any more.
NOT_SIGNED_IN = 4401
#: How often sessions of pages are looked at, and the tokens of silent streams; before a message tokens always are.
TENDING_S = 5.0
# Longer than reading the end of the log takes; without Valkey a page opens all the same.
PLACING_S = 1.0
MAX_WATCHED = 1000

log = structlog.get_logger(__name__)


class Socket(Protocol):
    """What the audience needs of a consumer."""

    async def send_json(self, content: dict[str, Any]) -> None: ...

    async def close(self, code: int) -> None: ...


@dataclass(eq=False)
class Listener:
    """One open page. `watched` are authors whose posts stand on it, followed or not."""

    socket: Socket
    loop: asyncio.AbstractEventLoop
    user_id: int
    followed: set[int]
    muted: set[int]
    watched: set[int] = field(default_factory=set)
    session_key: str = ""

    def tell(self, message: dict[str, Any]) -> None:
        """Send from any thread; a socket that closed meanwhile just does not get it."""
        if not self.loop.is_closed():
            asyncio.run_coroutine_threadsafe(self.socket.send_json(message), self.loop)

    def end(self) -> None:
        """Close it: whoever opened it is signed out."""
        if not self.loop.is_closed():
            asyncio.run_coroutine_threadsafe(self.socket.close(code=NOT_SIGNED_IN), self.loop)


class Audience:
    """The open pages of this process, found by author and by viewer. Safe between threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._by_user: dict[int, set[Listener]] = defaultdict(set)

    def join(self, listener: Listener) -> None:
        with self._lock:
            self._by_user[listener.user_id].add(listener)

    def leave(self, listener: Listener) -> None:
        with self._lock:
            pages = self._by_user[listener.user_id]
            pages.discard(listener)
            if not pages:
                del self._by_user[listener.user_id]

    def everybody(self) -> list[Listener]:
        with self._lock:
            return [page for group in self._by_user.values() for page in group]

    def of_users(self, user_ids: Iterable[int]) -> list[Listener]:
        with self._lock:
            return [page for user_id in user_ids for page in self._by_user.get(user_id, ())]

    def following(self, author_id: int) -> list[Listener]:
        """Pages of people who follow this author and do not mute them."""
        return [page for page in self.everybody() if author_id in page.followed and author_id not in page.muted]

    def seeing(self, author_id: int) -> list[Listener]:
        """Pages that may show a post of this author."""
        return [page for page in self.everybody() if author_id in page.followed or author_id in page.watched]


audience = Audience()


def listener_for(socket: Socket, user: User, loop: asyncio.AbstractEventLoop, session_key: str = "") -> Listener:
    """A page of this person, with whom they follow and mute now. From here on it gets news."""
    live_tail.ensure_started()
    followed, muted = graph.following_ids(user.pk), graph.muted_ids(user.pk)
    return Listener(socket, loop, user.pk, set(followed.tolist()), set(muted.tolist()), session_key=session_key)


def end_signed_out() -> None:
    """Close the pages whose sessions ended elsewhere. One query."""
    pages = audience.everybody()
    if not pages:
        return
    keys = {page.session_key for page in pages}
    good = set(Session.objects.filter(pk__in=keys, expire_date__gt=clock.now()).values_list("pk", flat=True))
    for page in pages:
        if page.session_key not in good:
            page.end()


def watch(listener: Listener, author_ids: object) -> None:
    """Remember which authors a page shows; anything but ids is passed over."""
    if isinstance(author_ids, list):
        named = {found for value in author_ids[:MAX_WATCHED] if (found := ids.parsed(str(value)))}
        listener.watched = set(list(listener.watched | named)[-MAX_WATCHED:])


def handle(event: object) -> None:
    """Tell the pages that an event concerns."""
    match event:
        case PostCreated():
            _tell_created(event)
        case PostDeleted():
            message = {"type": "deleted", "post_id": str(event.post_id)}
            for page in audience.seeing(event.author_id):
                page.tell(message)
        case Notified():
            _tell_notified(event)
        case Followed() | Unfollowed() | Blocked() | Muted() | Unmuted():
            _keep_graph(event)


def _tell_created(event: PostCreated) -> None:
    """News of what Following would show: no direct posts, no replies to strangers, nobody kept apart on a list."""
    is_aside = event.in_reply_to_user_id not in (None, event.author_id)
    if is_aside or event.visibility == Visibility.DIRECT or event.subscribers_only:
        return
    pages = [page for page in audience.following(event.author_id) if event.repost_of_user_id not in page.muted]
    apart = keeping_apart(event.author_id, {page.user_id for page in pages}) if pages else set()
    pages = [page for page in pages if page.user_id not in apart]
    pages = _without_muted_words(pages, event.repost_of_id or event.post_id)
    author = User.objects.filter(pk=event.author_id).first() if pages else None
    if author is None:
        return
    card = person_card(author)
    face = {"name": card.name, "avatar_url": card.avatar_url, "hue": hue_of(card.id)}
    for page in pages:
        page.tell({"type": "new_post", "post_id": str(event.post_id), "author": face})


def _without_muted_words(pages: list[Listener], post_id: int) -> list[Listener]:
    """The pages whose owners mute none of the post's words, as they are now. One query, two if any mute words."""
    muted = graph.muted_keywords_of({page.user_id for page in pages}) if pages else {}
    if not muted:
        return pages
    said = Post.objects.filter(pk=post_id).values_list("text", "poll_text").first()
    text = "\n".join(said or ())
    return [page for page in pages if not matches(text, phrases_of(muted.get(page.user_id, ())))]


def _tell_notified(event: Notified) -> None:
    pages = audience.of_users(event.recipient_ids)
    counts = {user.pk: selectors.unread_count(user) for user in User.objects.filter(pk__in={p.user_id for p in pages})}
    for page in pages:
        page.tell({"type": "notified", "unread": counts.get(page.user_id, 0)})


def _keep_graph(event: Followed | Unfollowed | Blocked | Muted | Unmuted) -> None:
    """Keep what open pages know of their owner's follows and mutes up to date."""
    match event:
        case Followed():
            for page in audience.of_users([event.follower_id]):
                page.followed.add(event.followee_id)
        case Unfollowed():
            for page in audience.of_users([event.follower_id]):
                page.followed.discard(event.followee_id)
        case Blocked():
            for page in audience.of_users([event.blocker_id]):
                page.followed.discard(event.blocked_id)
        case Muted():
            for page in audience.of_users([event.muter_id]):
                page.muted.add(event.muted_id)
        case Unmuted():
            for page in audience.of_users([event.muter_id]):
                page.muted.discard(event.muted_id)


class LiveTail:
    """A thread that follows the log for this process, started with the first who listens.

    `tend` is called every few seconds.
    """

    def __init__(self, name: str, handle: Callable[[object], None], tend: Callable[[], None] = lambda: None) -> None:
        self._name, self._handle, self._tend = name, handle, tend
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._stop = threading.Event()
        self._is_placed = threading.Event()

    def ensure_started(self) -> None:
        """Start following unless a thread runs, and wait until it stands at the end of the log."""
        with self._lock:
            if self._thread is None or not self._thread.is_alive():
                self._stop.clear()
                self._is_placed.clear()
                self._thread = threading.Thread(target=self._run, name=self._name, daemon=True)
                self._thread.start()
        self._is_placed.wait(PLACING_S)

    def stop(self) -> None:
        """Stop following and wait for the thread."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join(timeout=5)

    def _run(self) -> None:
        tail = Tail()
        next_tending = 0.0
        while not self._stop.is_set():
            try:
                if time.monotonic() >= next_tending:
                    next_tending = time.monotonic() + TENDING_S
                    self._tend()
                news = tail.read(block_ms=BLOCK_MS if self._is_placed.is_set() else 1)
                self._is_placed.set()
                for envelope in news:
                    self._handle(envelope.event)
            except (redis.RedisError, OperationalError) as error:
                log.warning("live news wait", error=str(error).strip())
                self._stop.wait(RETRY_S)
            finally:
                close_old_connections()
        connections.close_all()


live_tail = LiveTail("live-tail", handle, end_signed_out)
#: Of its own: showing posts to streams takes longer, and the pages' news should not wait for it.
stream_tail = LiveTail("stream-tail", delivery.handle, delivery.tend)

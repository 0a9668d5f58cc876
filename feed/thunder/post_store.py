"""The in-memory post store: one time-ordered log of columns, and two ways to read it.

An island: no Django. A viewer who follows many is answered by scanning the log backward in
chunks; one who follows few by gathering those authors' positions. Both give the same answer,
with every rule and exact per-author caps, because both feed the same chunk step.

Positions are logical and only grow; ``slot = position - base``. Compacting moves memory and
``base``, never a position, so the indexes stay valid.
"""

from __future__ import annotations

import threading
import time
from array import array
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, fields, replace

import numpy as np

ORIGINAL, REPLY, REPOST = 0, 1, 2
ABSENT = -1
FUTURE_MS = 5_000  # clocks differ a little between the writer and us


@dataclass(frozen=True, slots=True)
class Limits:
    """Published figures; the four ours are marked."""

    retention_ms: int = 172_800_000
    originals_per_author: int = 50
    replies_per_author: int = 30  # replies and reposts together
    videos_per_author: int = 100
    input_list: int = 10_000  # ours: unpublished
    scan_per_author: int = 1_000  # ours: unpublished
    results: int = 1_200  # ours: unpublished; used when a request names no number
    chunk: int = 16_384  # ours: log entries looked at in one step


@dataclass(frozen=True, slots=True)
class PostColumns:
    """Posts as equal-length arrays. 0 means "none" in every id column."""

    post_id: np.ndarray
    author_id: np.ndarray
    created_ms: np.ndarray
    in_reply_to_id: np.ndarray
    in_reply_to_user_id: np.ndarray
    repost_of_id: np.ndarray
    repost_of_user_id: np.ndarray
    conversation_id: np.ndarray
    has_video: np.ndarray

    @classmethod
    def of(cls, rows: Iterable[tuple]) -> PostColumns:
        """Columns from tuples in field order."""
        columns = list(zip(*rows, strict=True)) or [()] * len(fields(cls))
        return cls(*(np.array(column, dtype=np.int64) for column in columns))

    def take(self, index: np.ndarray) -> PostColumns:
        """The rows at these positions."""
        return PostColumns(*(getattr(self, field.name)[index] for field in fields(self)))

    def __len__(self) -> int:
        return len(self.post_id)


@dataclass(frozen=True, slots=True)
class Request:
    """A question: recent posts by ``following``, for ``viewer_id``."""

    viewer_id: int
    following: np.ndarray
    exclude: np.ndarray
    max_results: int = 0
    videos_only: bool = False
    deadline: float | None = None  # on time.monotonic()


@dataclass(frozen=True, slots=True)
class Found:
    """The answer, newest first. ``complete`` is False when the deadline cut the scan short."""

    posts: PostColumns
    complete: bool
    path: str  # "log" or "authors"
    scanned: int
    eligible: int = 0  # what the followed have in the store, before any rule
    deleted: int = 0  # entries met that were deleted


@dataclass(frozen=True, slots=True)
class Sizes:
    """What the store holds now; originals, secondaries (replies and reposts) and videos as in the log."""

    posts: int
    originals: int
    secondaries: int
    videos: int
    authors: int
    tombstones: int
    log: int


_COLUMNS = {
    "post": np.int64,
    "author": np.int32,
    "created": np.int64,
    "kind": np.uint8,
    "video": np.bool_,
    "dead": np.bool_,
    "parent": np.int64,  # position of the parent, ABSENT while unknown
    "parent_id": np.int64,
    "reply_user": np.int32,
    "reply_user_id": np.int64,
    "source": np.int64,
    "source_user": np.int64,
    "conversation": np.int64,
}


class PostStore:
    """Thread-safe through one lock; a lookup holds it for well under a millisecond."""

    def __init__(self, limits: Limits | None = None, *, capacity: int = 4_096) -> None:
        self.limits = limits or Limits()
        self._lock = threading.Lock()
        self._log: dict[str, np.ndarray] = {name: np.zeros(capacity, dtype) for name, dtype in _COLUMNS.items()}
        self._capacity = capacity
        self._base = self._tail = self._head = 0
        self._position: dict[int, int] = {}
        self._row: dict[int, int] = {}
        self._author_ids = np.zeros(1_024, np.int64)
        self._known = np.empty(0, np.int64)  # author ids in order, newcomers apart ...
        self._known_row = np.empty(0, np.int64)  # ... and their rows
        self._timeline: list[array] = []
        self._entries = np.zeros(1_024, np.int64)  # length of each timeline
        self._tombstones: dict[int, int] = {}
        self._deletions: deque[tuple[int, int]] = deque()
        self._waiting: dict[int, list[int]] = {}
        self._followed = np.zeros(1_024, np.bool_)  # scratch: a mask over rows

    # --- Writing ------------------------------------------------------------------------------

    def insert(self, posts: PostColumns, *, now_ms: int) -> int:
        """Add posts; returns how many were new. Old, future, deleted and known ones are skipped."""
        with self._lock:
            fresh = self._fresh(posts, now_ms)
            if len(fresh):
                self._append(fresh)
            return len(fresh)

    def delete(self, post_ids: Iterable[int], *, now_ms: int) -> None:
        """Remove posts; a create that arrives later is refused until the tombstone expires."""
        with self._lock:
            for post_id in post_ids:
                position = self._position.pop(post_id, None)
                if position is not None:
                    self._log["dead"][position - self._base] = True
                if post_id not in self._tombstones:
                    self._deletions.append((now_ms, post_id))
                self._tombstones[post_id] = now_ms

    def trim(self, *, now_ms: int) -> int:
        """Forget what is older than the retention; returns how many log entries went."""
        with self._lock:
            cutoff = now_ms - self.limits.retention_ms
            self._trim_tombstones(cutoff)
            start, stop = self._tail - self._base, self._head - self._base
            young = self._log["created"][start:stop] >= cutoff
            gone = int(np.argmax(young)) if young.any() else stop - start
            self._forget(start, start + gone)
            return gone

    def _fresh(self, posts: PostColumns, now_ms: int) -> PostColumns:
        """Acceptable posts, oldest first, each id once."""
        age_ok = posts.created_ms >= now_ms - self.limits.retention_ms
        due = np.flatnonzero(age_ok & (posts.created_ms <= now_ms + FUTURE_MS))
        due = due[np.argsort(posts.created_ms[due], kind="stable")]
        new: dict[int, int] = {}
        for index, post_id in zip(due.tolist(), posts.post_id[due].tolist(), strict=True):
            if post_id not in self._position and post_id not in self._tombstones:
                new.setdefault(post_id, index)
        return posts.take(np.fromiter(new.values(), np.int64, len(new)))

    def _append(self, posts: PostColumns) -> None:
        self._make_room(len(posts))
        first = self._head
        window = slice(first - self._base, first - self._base + len(posts))
        is_reply = (posts.in_reply_to_id != 0) | (posts.in_reply_to_user_id != 0)
        is_repost = posts.repost_of_id != 0
        rows = self._rows(posts.author_id)
        values = {
            "post": posts.post_id,
            "author": rows,
            "created": posts.created_ms,
            "kind": np.where(is_repost, REPOST, np.where(is_reply, REPLY, ORIGINAL)),
            "video": (posts.has_video != 0) & ~is_reply,
            "dead": False,
            "parent": ABSENT,
            "parent_id": posts.in_reply_to_id,
            "reply_user": self._rows(posts.in_reply_to_user_id),
            "reply_user_id": posts.in_reply_to_user_id,
            "source": posts.repost_of_id,
            "source_user": posts.repost_of_user_id,
            "conversation": posts.conversation_id,
        }
        for name, column in values.items():
            self._log[name][window] = column
        self._head = first + len(posts)
        self._position.update(zip(posts.post_id.tolist(), range(first, self._head), strict=True))
        for position, row in enumerate(rows.tolist(), first):
            self._timeline[row].append(position)
        np.add.at(self._entries, rows, 1)
        self._resolve_parents(first, posts, np.flatnonzero(posts.in_reply_to_id))
        self._inherit_videos(first, posts, np.flatnonzero(is_repost & ~is_reply))

    def _resolve_parents(self, first: int, posts: PostColumns, replies: np.ndarray) -> None:
        parent = self._log["parent"]
        wanted = zip(replies.tolist(), posts.in_reply_to_id[replies].tolist(), strict=True)
        for offset, parent_id in wanted:
            found = self._position.get(parent_id)
            if found is None:
                self._waiting.setdefault(parent_id, []).append(first + offset)
            else:
                parent[first + offset - self._base] = found
        if self._waiting:  # somebody's parent may have arrived just now
            for position, post_id in enumerate(posts.post_id.tolist(), first):
                for child in self._waiting.pop(post_id, ()):
                    if child >= self._tail:
                        parent[child - self._base] = position

    def _inherit_videos(self, first: int, posts: PostColumns, reposts: np.ndarray) -> None:
        """A repost counts as a video when its source is a stored original with a video."""
        video, kind = self._log["video"], self._log["kind"]
        for offset, source in zip(reposts.tolist(), posts.repost_of_id[reposts].tolist(), strict=True):
            position = self._position.get(source)
            slot = position - self._base if position is not None else ABSENT
            if slot >= 0 and video[slot] and kind[slot] == ORIGINAL:
                video[first + offset - self._base] = True

    def _rows(self, author_ids: np.ndarray) -> np.ndarray:
        """Row numbers of people, given out as they appear; ABSENT for 0."""
        row = self._row
        for author_id in author_ids.tolist():
            if author_id and author_id not in row:
                row[author_id] = len(row)
                self._timeline.append(array("q"))
        if len(row) > len(self._author_ids):
            self._grow_rows(len(row))
        rows = np.array([row[a] if a else ABSENT for a in author_ids.tolist()], np.int32)
        self._author_ids[rows[rows >= 0]] = author_ids[rows >= 0]
        if len(row) - len(self._known) > self._capacity_of_tail():
            ids = self._author_ids[: len(row)]
            order = np.argsort(ids)
            self._known, self._known_row = ids[order], order
        return rows

    def _capacity_of_tail(self) -> int:
        """How many newcomers may stay outside the sorted index: few, so that lookups rarely need the dict."""
        return 64 + len(self._known) // 16

    def rows_of(self, author_ids: np.ndarray) -> np.ndarray:
        """Row numbers of those people who ever posted or were answered, in no order."""
        if not len(self._known):
            missing, rows = author_ids, np.empty(0, np.int64)
        else:
            place = np.minimum(np.searchsorted(self._known, author_ids), len(self._known) - 1)
            is_known = self._known[place] == author_ids
            missing, rows = author_ids[~is_known], self._known_row[place[is_known]]
        if len(self._row) == len(self._known) or not len(missing):
            return rows
        late = [self._row[author_id] for author_id in missing.tolist() if author_id in self._row]
        return np.concatenate([rows, np.array(late, np.int64)])

    def _grow_rows(self, needed: int) -> None:
        size = 1 << (needed - 1).bit_length()
        self._author_ids = _resized(self._author_ids, size)
        self._entries = _resized(self._entries, size)
        self._followed = _resized(self._followed, size)

    def _make_room(self, count: int) -> None:
        """Slide out what is below the tail when that frees half the log, else double it."""
        used = self._head - self._base
        if used + count <= self._capacity:
            return
        live = self._head - self._tail
        if live + count > self._capacity // 2:
            self._capacity = 1 << (2 * (live + count) - 1).bit_length()
        start = self._tail - self._base
        for name, column in self._log.items():
            moved = np.zeros(self._capacity, column.dtype)
            moved[:live] = column[start:used]
            self._log[name] = moved
        self._base = self._tail

    def _trim_tombstones(self, cutoff: int) -> None:
        while self._deletions and self._deletions[0][0] < cutoff:
            _, post_id = self._deletions.popleft()
            if self._tombstones[post_id] < cutoff:
                del self._tombstones[post_id]
            else:  # deleted again since: keep it that much longer
                self._deletions.append((self._tombstones[post_id], post_id))

    def _forget(self, start: int, stop: int) -> None:
        self._tail = self._base + stop
        for offset, post_id in enumerate(self._log["post"][start:stop].tolist()):
            if self._position.get(post_id) == self._base + start + offset:
                del self._position[post_id]
        for row in np.unique(self._log["author"][start:stop]).tolist():
            timeline = self._timeline[row]
            del timeline[: int(np.searchsorted(np.array(timeline), self._tail))]
            self._entries[row] = len(timeline)
        for parent_id in [p for p, children in self._waiting.items() if children[-1] < self._tail]:
            del self._waiting[parent_id]

    # --- Reading ------------------------------------------------------------------------------

    def lookup(self, request: Request, *, now_ms: int) -> Found:
        """Up to ``max_results`` posts by the followed, newest first, all rules applied."""
        with self._lock:
            return _Lookup(self, request, now_ms).run()

    def __contains__(self, post_id: int) -> bool:
        return post_id in self._position

    def sizes(self) -> Sizes:
        """Current counts, for gauges."""
        live = slice(self._tail - self._base, self._head - self._base)
        alive = ~self._log["dead"][live]
        originals = int(np.count_nonzero((self._log["kind"][live] == ORIGINAL) & alive))
        return Sizes(
            posts=len(self._position),
            originals=originals,
            secondaries=int(np.count_nonzero(alive)) - originals,
            videos=int(np.count_nonzero(self._log["video"][live] & alive)),
            authors=int(np.count_nonzero(self._entries)),
            tombstones=len(self._tombstones),
            log=self._head - self._tail,
        )

    def newest_ms(self) -> int:
        """Creation time of the newest entry; 0 when empty."""
        if self._head == self._tail:
            return 0
        return int(self._log["created"][self._head - 1 - self._base])


class _Lookup:
    """One question being answered; the store's lock is held throughout."""

    def __init__(self, store: PostStore, request: Request, now_ms: int) -> None:
        limits = store.limits
        self.store, self.log, self.base = store, store._log, store._base
        self.viewer_id, self.videos = request.viewer_id, request.videos_only
        self.wanted = request.max_results or limits.results
        self.exclude = np.sort(np.asarray(request.exclude[: limits.input_list], np.int64))
        self.cutoff = now_ms - limits.retention_ms
        self.deadline = request.deadline
        self.deleted = 0
        self.taken: list[np.ndarray] = []  # authors and timelines of survivors, by chunk
        self.seen: list[np.ndarray] = []  # the same of all entries looked at
        # In order, because a search for one id after its neighbour finds memory warm.
        self.rows = store.rows_of(np.sort(np.asarray(request.following[: limits.input_list], np.int64)))

    def run(self) -> Found:
        store = self.store
        counts = store._entries[self.rows]
        self.eligible = int(counts.sum())
        few = self.eligible <= 6 * self.wanted
        self.scan_binds = len(counts) > 0 and int(counts.max()) > store.limits.scan_per_author
        store._followed[self.rows] = True
        try:
            kept, scanned, complete = self._collect(self._by_author() if few else self._backward())
        finally:
            store._followed[self.rows] = False
        path = "authors" if few else "log"
        return Found(self._answer(kept), complete, path, scanned, self.eligible, self.deleted)

    def _by_author(self) -> Iterator[np.ndarray]:
        """All slots of the followed, newest first, in one chunk."""
        timelines = [np.array(self.store._timeline[row], np.int64) for row in set(self.rows.tolist())]
        if timelines:
            positions = np.sort(np.concatenate(timelines))[::-1]
            yield positions[positions >= self.store._tail] - self.base

    def _backward(self) -> Iterator[np.ndarray]:
        """Slots of the followed, newest first, chunk by chunk from the head of the log."""
        stop, tail = self.store._head - self.base, self.store._tail - self.base
        author, followed = self.log["author"], self.store._followed
        # Entries that hold as many posts of the followed as wanted, and half as many again for the rules.
        likely = 3 * self.wanted * (stop - tail) // (2 * max(1, self.eligible))
        size = min(max(likely, self.store.limits.chunk), 4 * self.store.limits.chunk)
        while stop > tail:
            start = max(tail, stop - size)
            yield start + np.flatnonzero(followed[author[start:stop]])[::-1]
            stop, size = start, self.store.limits.chunk

    def _collect(self, chunks: Iterator[np.ndarray]) -> tuple[np.ndarray, int, bool]:
        kept: list[np.ndarray] = []
        found = scanned = 0
        for slots in chunks:
            if self.deadline is not None and time.monotonic() > self.deadline:
                return np.concatenate([*kept, np.empty(0, np.int64)]), scanned, False
            survivors = self._survivors(slots)
            kept.append(survivors)
            found += len(survivors)
            scanned += len(slots)
            if found >= self.wanted:
                break
        return np.concatenate([*kept, np.empty(0, np.int64)]).astype(np.int64), scanned, True

    def _survivors(self, slots: np.ndarray) -> np.ndarray:
        """Entries of one chunk that pass every rule and cap; order is kept."""
        log, limits = self.log, self.store.limits
        if self.videos:
            slots = slots[log["video"][slots]]
        if len(self.exclude):
            slots = slots[~_in_sorted(self.exclude, log["post"][slots])]
        if self.scan_binds:
            slots = slots[self._rank(slots, self.seen, limits.scan_per_author) < limits.scan_per_author]
        kinds = log["kind"][slots]
        keep = log["created"][slots] >= self.cutoff
        dead = log["dead"][slots]
        self.deleted += int(np.count_nonzero(dead))
        keep &= ~dead
        keep &= (log["source_user"][slots] != self.viewer_id) | (kinds != REPOST)
        if not self.videos:
            self._apply_reply_rule(slots, kinds, keep)
        slots, kinds = slots[keep], kinds[keep]
        caps = limits.originals_per_author, limits.replies_per_author
        if self.videos:
            return slots[self._rank(slots, self.taken, limits.videos_per_author) < limits.videos_per_author]
        rank = self._rank(slots, self.taken, min(caps))
        return slots[rank < np.where(kinds == ORIGINAL, *caps)]

    def _apply_reply_rule(self, slots: np.ndarray, kinds: np.ndarray, keep: np.ndarray) -> None:
        """Replies stay when they answer an original, or a direct answer to the root by a followed."""
        log = self.log
        where = np.flatnonzero((kinds == REPLY) & keep)
        replies = slots[where]
        # A reply known only by its user has no parent to check, and stays like a repost.
        has_parent = log["parent_id"][replies] != 0
        position = log["parent"][replies]
        parent = np.maximum(position - self.base, 0)
        present = (position >= self.store._tail) & ~log["dead"][parent]
        present &= log["created"][parent] >= self.cutoff
        to_original = log["kind"][parent] == ORIGINAL
        conversation = log["conversation"][replies]
        to_root = (conversation != 0) & (log["parent_id"][parent] == conversation)
        user = log["reply_user"][replies]
        to_followed = (user >= 0) & self.store._followed[np.maximum(user, 0)]
        keep[where] = ~has_parent | (present & (to_original | (to_root & to_followed)))

    def _rank(self, slots: np.ndarray, earlier: list[np.ndarray], cap: int) -> np.ndarray:
        """For each entry, how many newer ones of its author and timeline came before it.

        Exact only where somebody has more than ``cap``; otherwise 0 says all there is to say.
        """
        secondary = (self.log["kind"][slots] != ORIGINAL) & (not self.videos)
        earlier.append(2 * self.log["author"][slots].astype(np.int64) + secondary)
        keys = np.concatenate(earlier) if len(earlier) > 1 else earlier[0]
        ordered = np.sort(keys)
        if not np.any(ordered[cap:] == ordered[:-cap]):
            return np.zeros(len(slots), np.int64)
        order = np.argsort(keys, kind="stable")
        starts = np.ones(len(keys), np.bool_)
        starts[1:] = ordered[1:] != ordered[:-1]
        first = np.flatnonzero(starts)
        rank = np.empty(len(keys), np.int64)
        rank[order] = np.arange(len(keys)) - first[np.cumsum(starts) - 1]
        return rank[len(keys) - len(slots) :]

    def _answer(self, slots: np.ndarray) -> PostColumns:
        log = self.log
        created, post = log["created"][slots], log["post"][slots]
        later = np.diff(created)
        if not np.all((later < 0) | ((later == 0) & (np.diff(post) < 0))):  # something came late
            slots = slots[np.lexsort((-post, -created))]
        slots = slots[: self.wanted]
        return PostColumns(
            post_id=log["post"][slots],
            author_id=self.store._author_ids[log["author"][slots]],
            created_ms=log["created"][slots],
            in_reply_to_id=log["parent_id"][slots],
            in_reply_to_user_id=log["reply_user_id"][slots],
            repost_of_id=log["source"][slots],
            repost_of_user_id=log["source_user"][slots],
            conversation_id=log["conversation"][slots],
            has_video=log["video"][slots],
        )


def _in_sorted(values: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """Which of ``wanted`` are among the sorted ``values``."""
    place = np.searchsorted(values, wanted)
    return values[np.minimum(place, len(values) - 1)] == wanted


def _resized(column: np.ndarray, size: int) -> np.ndarray:
    grown = np.zeros(size, column.dtype)
    grown[: len(column)] = column
    return grown


def with_limits(**changes: int) -> Limits:
    """The published limits with some replaced."""
    return replace(Limits(), **changes)

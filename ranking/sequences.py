"""Engagement rows to model input: one builder for training and serving, so that they cannot differ.

All actions of a person on the same original post within 300 seconds of the first become one row.
Rows are ordered by their beginning; a request sees only actions strictly before it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ranking.columns import BIGINT, REAL
from ranking.heads import DWELL_KINDS, MERE_IMPRESSION
from ranking.types import ActionSequence, Floats, Int64s
from xsocial.kernel import clock, sql

WINDOW_MS = 300_000
# Raw actions fetched per row asked for; more are fetched when that does not suffice.
ACTIONS_PER_ROW = 6
# What the first read of a person's actions brings at least.
NEWEST_ACTIONS = 1024

EVENT_TYPES = (BIGINT, BIGINT, BIGINT, BIGINT, REAL, BIGINT, BIGINT)
EVENTS_SQL = """
SELECT e.user_id,
       coalesce(p.repost_of_id, e.post_id),
       coalesce(o.author_id, e.author_id),
       e.kind::bigint,
       coalesce(e.seconds, 0)::real,
       e.surface::bigint,
       (extract(epoch FROM e.created_at) * 1000)::bigint {also}
  FROM {source}
  JOIN posts_post p ON p.id = e.post_id
  LEFT JOIN posts_post o ON o.id = p.repost_of_id
 WHERE coalesce(o.author_id, e.author_id) <> e.user_id
"""


@dataclass(frozen=True)
class Events:
    """Raw engagements as columns. Actions on one's own posts are left out when they are read."""

    user_ids: Int64s
    post_ids: Int64s
    author_ids: Int64s
    kinds: Int64s
    seconds: Floats
    surfaces: Int64s
    at_ms: Int64s

    def __len__(self) -> int:
        return len(self.user_ids)

    def take(self, index: npt.NDArray[np.integer] | npt.NDArray[np.bool_]) -> Events:
        return Events(*(column[index] for column in vars(self).values()))

    def joined(self, other: Events) -> Events:
        """These events and then the others."""
        columns = zip(vars(self).values(), vars(other).values(), strict=True)
        return Events(*(np.concatenate(pair) for pair in columns))


def no_events() -> Events:
    """Columns without rows."""
    return Events(*(np.zeros(0, kind) for kind in (np.int64,) * 4 + (np.float32, np.int64, np.int64)))


@dataclass(frozen=True)
class Rows:
    """Aggregated rows of many people, ordered by (user, beginning, post)."""

    user_ids: Int64s
    post_ids: Int64s
    author_ids: Int64s
    action_bits: Int64s
    dwell_seconds: Floats
    surfaces: Int64s
    first_ms: Int64s
    last_ms: Int64s

    def __len__(self) -> int:
        return len(self.user_ids)

    def take(self, index: npt.NDArray[np.integer] | npt.NDArray[np.bool_]) -> Rows:
        return Rows(*(column[index] for column in vars(self).values()))


@dataclass(frozen=True)
class Grouped:
    """Events in row order, where each row starts, and the rows, mere impressions included."""

    events: Events
    starts: Int64s
    rows: Rows


def group(events: Events) -> Grouped:
    """All rows of all people, ordered by (user, post, beginning)."""
    if not len(events):
        empty = Rows(*(np.zeros(0, t) for t in (np.int64,) * 4 + (np.float32,) + (np.int64,) * 3))
        return Grouped(events, np.zeros(0, np.int64), empty)
    order = np.lexsort((events.kinds, events.at_ms, events.post_ids, events.user_ids))
    events = events.take(order)
    starts = np.flatnonzero(_row_starts(events))
    ends = np.append(starts[1:], len(events)) - 1
    rows = Rows(
        events.user_ids[starts],
        events.post_ids[starts],
        events.author_ids[starts],
        np.bitwise_or.reduceat(bits_of_events(events), starts),
        np.maximum.reduceat(dwell_of_events(events), starts),
        events.surfaces[starts],
        events.at_ms[starts],
        events.at_ms[ends],
    )
    return Grouped(events, starts, rows)


def bits_of_events(events: Events) -> Int64s:
    """Each event's kind as a bit."""
    return np.int64(1) << events.kinds


def dwell_of_events(events: Events) -> Floats:
    """Seconds of dwell events, 0 for others."""
    return (events.seconds * ((DWELL_KINDS >> events.kinds) & 1)).astype(np.float32)


def is_informative(action_bits: Int64s) -> npt.NDArray[np.bool_]:
    """False for rows that are mere impressions."""
    return (action_bits & ~MERE_IMPRESSION) != 0


def aggregate(events: Events) -> Rows:
    """Rows of all people at once, ordered by (user, beginning, post), mere impressions left out."""
    rows = group(events).rows
    rows = rows.take(is_informative(rows.action_bits))
    return rows.take(np.lexsort((rows.post_ids, rows.first_ms, rows.user_ids)))


def _row_starts(events: Events) -> npt.NDArray[np.bool_]:
    """Where a new row begins, for events sorted by (user, post, time)."""
    is_start = np.ones(len(events), dtype=bool)
    is_start[1:] = (np.diff(events.user_ids) != 0) | (np.diff(events.post_ids) != 0)
    while True:
        row = np.cumsum(is_start) - 1
        too_late = events.at_ms - events.at_ms[is_start][row] >= WINDOW_MS
        # The first event beyond the window opens the next row; later ones are judged against it.
        opens = too_late.copy()
        opens[1:] &= ~(too_late[:-1] & (row[1:] == row[:-1]))
        if not opens.any():
            return is_start
        is_start |= opens


def sequence_of(rows: Rows, *, user_id: int, max_length: int) -> ActionSequence:
    """The newest rows of a single person's aggregated rows."""
    newest = rows.take(np.arange(max(len(rows) - max_length, 0), len(rows)))
    return ActionSequence(
        user_id,
        newest.post_ids,
        newest.author_ids,
        newest.action_bits,
        newest.dwell_seconds,
        newest.surfaces,
        newest.first_ms,
    )


def action_sequence(user_id: int, *, before_ms: int, max_length: int, newest: Newest | None = None) -> ActionSequence:
    """What a person did strictly before a moment; empty for somebody who did nothing.

    `newest` are the person's newest actions, where they are read already.
    """
    limit = max(max_length * ACTIONS_PER_ROW, NEWEST_ACTIONS)
    while True:
        if newest is None or newest.limit < limit:
            newest = newest_actions(user_id, before_ms=before_ms, limit=limit)
        events = newest.events
        rows = aggregate(events)
        is_complete = len(events) < limit
        if not is_complete:
            # The oldest rows may lack actions that the limit cut off.
            rows = rows.take(rows.first_ms >= events.at_ms.min() + WINDOW_MS)
        if is_complete or len(rows) >= max_length:
            return sequence_of(rows, user_id=user_id, max_length=max_length)
        limit *= 4


@dataclass(frozen=True)
class Newest:
    """A person's newest events, at most `limit`, and the form of each one's post (see `ranking.features.form`)."""

    events: Events
    forms: Int64s
    limit: int

    @property
    def known_since_ms(self) -> int:
        """From when on no row lacks an event that the limit cut off."""
        return int(self.events.at_ms.min()) + WINDOW_MS if len(self.events) == self.limit else 0


_FORM = """,
       CASE WHEN coalesce(o.video_duration_ms, p.video_duration_ms, 0) > 0 THEN 2
            ELSE coalesce(o.has_media, p.has_media)::int END
"""


def newest_of(source: str) -> str:
    """SQL of a person's newest events, each column one value, so that no row of them becomes Python objects."""
    return f"""
SELECT {", ".join(map(sql.packed, ("who", "post", "author", "kind", "surface", "at_ms", "form")))},
       string_agg(float4send(seconds), '')
  FROM ({EVENTS_SQL.format(source=source, also=_FORM)}
        AND e.user_id = %(who)s AND e.created_at < %(before)s ORDER BY e.created_at DESC LIMIT %(limit)s
       ) AS newest (who, post, author, kind, seconds, surface, at_ms, form)
"""


_ACTIONS = newest_of("posts_engagement e")


def newest_actions(user_id: int, *, before_ms: int, limit: int = NEWEST_ACTIONS) -> Newest:
    """What a person did last, strictly before a moment."""
    return read_newest(_ACTIONS, user_id, before_ms=before_ms, limit=limit)


def read_newest(statement: str, user_id: int, *, before_ms: int, limit: int) -> Newest:
    """The answer to a statement of `newest_of`."""
    found = sql.row(statement, {"who": user_id, "before": clock.from_ms(before_ms), "limit": limit})
    assert found is not None  # an aggregate without groups always has its one row
    *whole, seconds = found
    who, post, author, kind, surface, at_ms, forms = map(sql.unpacked, whole)
    lengths = np.frombuffer(seconds or b"", ">f4").astype(np.float32)
    return Newest(Events(who, post, author, kind, lengths, surface, at_ms), forms, limit)

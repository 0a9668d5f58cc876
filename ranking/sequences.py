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

EVENT_TYPES = (BIGINT, BIGINT, BIGINT, BIGINT, REAL, BIGINT, BIGINT)
EVENTS_SQL = """
SELECT e.user_id,
       coalesce(p.repost_of_id, e.post_id),
       coalesce(o.author_id, e.author_id),
       e.kind::bigint,
       coalesce(e.seconds, 0)::real,
       e.surface::bigint,
       (extract(epoch FROM e.created_at) * 1000)::bigint
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


def action_sequence(user_id: int, *, before_ms: int, max_length: int) -> ActionSequence:
    """What a person did strictly before a moment; empty for somebody who did nothing."""
    limit = max_length * ACTIONS_PER_ROW
    while True:
        events = _newest_events(user_id, before_ms=before_ms, limit=limit)
        rows = aggregate(events)
        is_complete = len(events) < limit
        if not is_complete:
            # The oldest rows may lack actions that the limit cut off.
            rows = rows.take(rows.first_ms >= events.at_ms.min() + WINDOW_MS)
        if is_complete or len(rows) >= max_length:
            return sequence_of(rows, user_id=user_id, max_length=max_length)
        limit *= 4


# The same columns packed, each one value, so that no row of a long history becomes Python objects.
_NEWEST = f"""
SELECT {", ".join(map(sql.packed, ("who", "post", "author", "kind", "surface", "at_ms")))},
       string_agg(float4send(seconds), '')
  FROM ({EVENTS_SQL.format(source="posts_engagement e")}
        AND e.user_id = %(who)s AND e.created_at < %(before)s ORDER BY e.created_at DESC LIMIT %(limit)s
       ) AS newest (who, post, author, kind, seconds, surface, at_ms)
"""


def _newest_events(user_id: int, *, before_ms: int, limit: int) -> Events:
    found = sql.row(_NEWEST, {"who": user_id, "before": clock.from_ms(before_ms), "limit": limit})
    assert found is not None  # an aggregate without groups always has its one row
    *whole, seconds = found
    who, post, author, kind, surface, at_ms = map(sql.unpacked, whole)
    return Events(who, post, author, kind, np.frombuffer(seconds or b"", ">f4").astype(np.float32), surface, at_ms)

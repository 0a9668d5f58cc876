"""The logs as columns: what was shown in a period, what was done, and the posts; straight from the database.

A period is read with what its page loads depend on and no more, so that memory is bounded by the period
and not by the age of the site: each person's newest actions before it, totals of the posts shown, and
a sample of recent posts for negatives.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
from django.db import connection

from posts.types import EngagementKind
from ranking import content
from ranking.columns import BIGINT, BOOL, REAL, read_columns
from ranking.features import MATCH_LENGTH, RECENT_MS
from ranking.sequences import ACTIONS_PER_ROW, EVENT_TYPES, EVENTS_SQL, Events, no_events
from ranking.taste import ACTIONS, IMPRESSIONS, IMPRESSIONS_AS_EVENTS
from ranking.types import Bools, Floats, Int64s
from xsocial.kernel import clock, ids

LABEL_WINDOW_MS = 30 * 60_000
NEGATIVES_HOURS = 48
# Posts of the period (and the two days before) from which random negatives are drawn.
SAMPLED_POSTS = 50_000

# Columns of `Logs.totals`; the kinds that count as an engagement with a post, then views.
COUNTED = {
    "favorites": EngagementKind.FAVORITE,
    "replies": EngagementKind.REPLY,
    "reposts": EngagementKind.REPOST,
    "quotes": EngagementKind.QUOTE,
}
TOTALS = (*COUNTED, "views")

IMPRESSIONS_SQL = """
SELECT i.id, i.user_id, coalesce(p.repost_of_id, i.post_id), i.surface::bigint, coalesce(i.position, 0)::bigint,
       coalesce(i.request_id, -(extract(epoch FROM i.created_at)::bigint / 60)),
       coalesce(i.seconds, 0)::real, (extract(epoch FROM i.created_at) * 1000)::bigint
  FROM posts_impression i
  JOIN posts_post p ON p.id = i.post_id
 WHERE i.created_at >= %s AND i.created_at < %s AND i.author_id <> i.user_id
 ORDER BY i.created_at, i.id
"""


def _newest_sql(source: str) -> str:
    """Each person's newest events before a moment."""
    return EVENTS_SQL.format(
        source=f"""unnest(%s::bigint[]) AS person(id) CROSS JOIN LATERAL (
       SELECT * FROM {source} events
        WHERE user_id = person.id AND created_at < %s ORDER BY created_at DESC LIMIT %s) e""",
        also="",
    )


NEWEST_SQL, SEEN_SQL = _newest_sql("posts_engagement"), _newest_sql(IMPRESSIONS_AS_EVENTS)
PERIOD_SQL = f"{EVENTS_SQL.format(source='posts_engagement e', also='')} AND e.created_at >= %s AND e.created_at < %s"
POSTS_SQL = """
SELECT p.id, p.author_id, (extract(epoch FROM p.created_at) * 1000)::bigint,
       p.in_reply_to_id IS NOT NULL, p.has_media, coalesce(p.video_duration_ms, 0)::bigint,
       p.quote_of_id IS NOT NULL, coalesce(quoted.video_duration_ms, 0)::bigint,
       p.visibility = 'public' AND p.deleted_at IS NULL
  FROM posts_post p
  LEFT JOIN posts_post quoted ON quoted.id = p.quote_of_id AND quoted.deleted_at IS NULL
 WHERE p.repost_of_id IS NULL AND p.id = ANY(%s)
 ORDER BY p.id
"""
# A multiplicative hash instead of a random order: the same posts every time.
RECENT_SQL = """
SELECT id FROM posts_post
 WHERE id >= %s AND id < %s AND repost_of_id IS NULL AND visibility = 'public' AND deleted_at IS NULL
 ORDER BY (id %% 1000003) * 2654435761 %% 4294967296
 LIMIT %s
"""
WRAPPERS = """
  FROM (SELECT id AS wrapper, id FROM unnest(%s::bigint[]) AS shown(id)
        UNION ALL
        SELECT p.id, p.repost_of_id FROM posts_post p WHERE p.repost_of_id = ANY(%s)) w
"""
TOTALS_SQL = f"""
SELECT w.id, e.kind::bigint, count(*) {WRAPPERS} JOIN posts_engagement e ON e.post_id = w.wrapper
 WHERE e.kind = ANY(%s) AND e.created_at < %s GROUP BY 1, 2
"""
VIEWS_SQL = f"""
SELECT w.id, -1::bigint, count(*) {WRAPPERS} JOIN posts_impression i ON i.post_id = w.wrapper
 WHERE i.created_at < %s GROUP BY 1
"""
FOLLOWS_SQL = """
SELECT follower_id, followee_id, (extract(epoch FROM created_at) * 1000)::bigint
  FROM accounts_follow WHERE follower_id = ANY(%s)
"""
CUTS_SQL = """
SELECT created_at FROM (
       SELECT created_at, row_number() OVER (ORDER BY created_at) AS place FROM posts_impression
        WHERE created_at >= %s AND created_at < %s) numbered
 WHERE (place - 1) %% %s = 0 ORDER BY created_at
"""
COUNT_SQL = "SELECT count(*) FROM posts_impression WHERE created_at >= %s AND created_at < %s"
NTH_SQL = """
SELECT created_at FROM posts_impression WHERE created_at >= %s AND created_at < %s
 ORDER BY created_at OFFSET %s LIMIT 1
"""


@dataclass(frozen=True)
class Impressions:
    """What was shown, in order of time. Without a request id, a minute of a person is one request."""

    ids: Int64s
    user_ids: Int64s
    post_ids: Int64s
    surfaces: Int64s
    positions: Int64s
    request_ids: Int64s
    seconds: Floats
    at_ms: Int64s

    def __len__(self) -> int:
        return len(self.ids)

    def take(self, index: npt.NDArray[np.integer] | npt.NDArray[np.bool_]) -> Impressions:
        return Impressions(*(column[index] for column in vars(self).values()))


@dataclass(frozen=True)
class Posts:
    """Original posts by rising id, their content vectors [N, size] (zero where there is none)."""

    ids: Int64s
    author_ids: Int64s
    created_ms: Int64s
    is_reply: Bools
    has_media: Bools
    video_duration_ms: Int64s
    is_quote: Bools
    quoted_video_ms: Int64s
    is_public: Bools
    content: Floats

    def __len__(self) -> int:
        return len(self.ids)

    def index_of(self, post_ids: Int64s) -> Int64s:
        """Row of each id, -1 for unknown ones."""
        if not len(self.ids):
            return np.full(post_ids.shape, -1)
        place = np.minimum(np.searchsorted(self.ids, post_ids), len(self.ids) - 1)
        return np.where(self.ids[place] == post_ids, place, -1)


@dataclass(frozen=True)
class Logs:
    """Everything that training and evaluation read of a period.

    `impressions` go on for a label window after the period, because a post that is shown again ends the
    labels of its former showing. `events` hold all actions of the period on the posts shown, and those of
    the people in it from before, for histories. `totals` [posts, TOTALS] counts what happened to each
    post before `since_ms`; `seen_before` is what the people had been shown until then.
    """

    impressions: Impressions
    events: Events
    posts: Posts
    follows: tuple[Int64s, Int64s, Int64s]  # follower, followee, since when (ms)
    since_ms: int = 0
    totals: Int64s = field(default_factory=lambda: np.zeros((0, len(TOTALS)), dtype=np.int64))
    until_ms: int = np.iinfo(np.int64).max
    seen_before: Events = field(default_factory=no_events)


@dataclass(frozen=True)
class Period:
    """From a moment to before another, milliseconds."""

    since_ms: int
    until_ms: int

    @property
    def bounds(self) -> list[Any]:
        return [clock.from_ms(self.since_ms), clock.from_ms(self.until_ms)]


def period(*, since_ms: int = 0, until_ms: int | None = None) -> Period:
    """A period; all time up to now unless told otherwise."""
    return Period(since_ms, clock.now_ms() + 1 if until_ms is None else until_ms)


def count(asked: Period) -> int:
    """Impressions in a period."""
    with connection.cursor() as cursor:
        cursor.execute(COUNT_SQL, asked.bounds)
        return int(cursor.fetchone()[0])


def cut(asked: Period, share: float) -> tuple[Period, Period]:
    """The period in two, so that the given share of its impressions lies in the second part."""
    with connection.cursor() as cursor:
        cursor.execute(NTH_SQL, [*asked.bounds, int(count(asked) * (1 - share))])
        row = cursor.fetchone()
    moment = clock.to_ms(row[0]) if row else asked.until_ms
    return Period(asked.since_ms, moment), Period(moment, asked.until_ms)


def shards(asked: Period, size: int) -> list[Period]:
    """Consecutive periods of about `size` impressions each."""
    with connection.cursor() as cursor:
        cursor.execute(CUTS_SQL, [*asked.bounds, size])
        starts = sorted({clock.to_ms(row[0]) for row in cursor.fetchall()})
    edges = [asked.since_ms, *starts[1:], asked.until_ms]
    return [Period(*pair) for pair in itertools.pairwise(edges)]


def read(*, since_ms: int = 0, until_ms: int | None = None) -> Logs:
    """The logs of a period."""
    asked = period(since_ms=since_ms, until_ms=until_ms)
    bounds = [asked.bounds[0], clock.from_ms(asked.until_ms + LABEL_WINDOW_MS)]
    impressions = Impressions(*read_columns(IMPRESSIONS_SQL, bounds, (BIGINT,) * 6 + (REAL, BIGINT)))
    within = impressions.at_ms < asked.until_ms
    people = np.unique(impressions.user_ids[within])
    shown = np.unique(impressions.post_ids[within])
    events = _events(asked, people, shown)
    seen_before = no_events()
    if asked.since_ms:
        seen_before = Events(*read_columns(SEEN_SQL, [people.tolist(), bounds[0], IMPRESSIONS], EVENT_TYPES))
    wanted = np.unique(np.concatenate([shown, events.post_ids, seen_before.post_ids, _recent(asked)]))
    posts = read_posts(wanted)
    follows = read_columns(FOLLOWS_SQL, [people.tolist()], (BIGINT,) * 3)
    return Logs(
        impressions,
        events,
        posts,
        (follows[0], follows[1], follows[2]),
        asked.since_ms,
        _totals(posts, shown, asked),
        asked.until_ms,
        seen_before,
    )


def _events(asked: Period, people: Int64s, shown: Int64s) -> Events:
    """Actions of the period, with time for labels to come, and of its people before it."""
    begin_ms = max(asked.since_ms - RECENT_MS, 0)
    within = [clock.from_ms(begin_ms), clock.from_ms(asked.until_ms + LABEL_WINDOW_MS)]
    events = Events(*read_columns(PERIOD_SQL, within, EVENT_TYPES))
    events = events.take(np.isin(events.user_ids, people) | np.isin(events.post_ids, shown))
    if not begin_ms:
        return events
    newest = [people.tolist(), within[0], max(MATCH_LENGTH * ACTIONS_PER_ROW, ACTIONS)]
    before = Events(*read_columns(NEWEST_SQL, newest, EVENT_TYPES))
    return before.joined(events)


def _recent(asked: Period) -> Int64s:
    """Ids of posts that could have been shown in the period, at most `SAMPLED_POSTS`."""
    edges = [asked.since_ms - NEGATIVES_HOURS * 3_600_000, asked.until_ms]
    low, high = (ids.id_at(max(ms, ids.EPOCH_MS)) for ms in edges)
    return read_columns(RECENT_SQL, [low, high, SAMPLED_POSTS], (BIGINT,))[0]


def read_posts(post_ids: Int64s) -> Posts:
    """What does not change about these posts, in the order of their ids. Two queries."""
    columns = read_columns(POSTS_SQL, [post_ids.tolist()], (BIGINT,) * 3 + (BOOL, BOOL, BIGINT, BOOL, BIGINT, BOOL))
    return Posts(*columns, content.vectors(columns[0]))


def _totals(posts: Posts, shown: Int64s, asked: Period) -> Int64s:
    totals = np.zeros((len(posts), len(TOTALS)), dtype=np.int64)
    if not asked.since_ms:
        return totals
    since, kinds = asked.bounds[0], [int(kind) for kind in COUNTED.values()]
    wanted = shown.tolist()
    for sql, parameters in ((TOTALS_SQL, [wanted, wanted, kinds, since]), (VIEWS_SQL, [wanted, wanted, since])):
        post_ids, kind, number = read_columns(sql, parameters, (BIGINT,) * 3)
        place = posts.index_of(post_ids)
        known = place >= 0
        column = np.array([*kinds, -1])[None] == kind[known][:, None]
        totals[place[known], column.argmax(axis=1)] = number[known]
    return totals


def read_shards(asked: Period, size: int) -> Iterator[Logs]:
    """The logs of a period, shard by shard."""
    for shard in shards(asked, size):
        yield read(since_ms=shard.since_ms, until_ms=shard.until_ms)

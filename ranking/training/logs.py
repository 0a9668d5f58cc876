"""The logs as columns: what was shown, what was done, and the posts. Read once per training run."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
from django.db import connection

from ranking import content
from ranking.sequences import Events, all_events
from ranking.types import Bools, Floats, Int64s
from xsocial.kernel import clock

IMPRESSIONS_SQL = """
SELECT i.id, i.user_id, coalesce(p.repost_of_id, i.post_id), i.surface, coalesce(i.position, 0),
       coalesce(i.request_id, -(extract(epoch FROM i.created_at)::bigint / 60)),
       coalesce(i.seconds, 0)::real, (extract(epoch FROM i.created_at) * 1000)::bigint
  FROM posts_impression i
  JOIN posts_post p ON p.id = i.post_id
 WHERE i.created_at >= %s AND i.created_at < %s AND i.author_id <> i.user_id
 ORDER BY i.created_at, i.id
"""
POSTS_SQL = """
SELECT id, author_id, (extract(epoch FROM created_at) * 1000)::bigint,
       (in_reply_to_id IS NOT NULL)::int, has_media::int, coalesce(video_duration_ms, 0),
       (visibility = 'public' AND deleted_at IS NULL)::int
  FROM posts_post
 WHERE repost_of_id IS NULL
 ORDER BY id
"""
FOLLOWS_SQL = """
SELECT follower_id, followee_id, (extract(epoch FROM created_at) * 1000)::bigint
  FROM accounts_follow
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
    """Everything that training and evaluation read."""

    impressions: Impressions
    events: Events
    posts: Posts
    follows: tuple[Int64s, Int64s, Int64s]  # follower, followee, since when (ms)

    @cached_property
    def follow_index(self) -> dict[tuple[int, int], int]:
        follower, followee, since = (column.tolist() for column in self.follows)
        return {(a, b): t for a, b, t in zip(follower, followee, since, strict=True)}


def _columns(sql: str, parameters: list[object], types: tuple[type, ...]) -> list[np.ndarray]:
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        rows = cursor.fetchall()
    columns = list(zip(*rows, strict=True)) if rows else [()] * len(types)
    return [np.array(column, dtype=kind) for column, kind in zip(columns, types, strict=True)]


def read(*, since_ms: int = 0, until_ms: int | None = None) -> Logs:
    """The logs of a period; posts and events of all time before its end, for histories and counts."""
    until = clock.now_ms() + 1 if until_ms is None else until_ms
    period = [clock.from_ms(since_ms), clock.from_ms(until)]
    whole = np.int64
    impressions = Impressions(*_columns(IMPRESSIONS_SQL, period, (whole,) * 6 + (np.float32, whole)))
    ids, authors, created, reply, media, video, public = _columns(POSTS_SQL, [], (whole,) * 7)
    posts = Posts(
        ids,
        authors,
        created,
        reply.astype(bool),
        media.astype(bool),
        video,
        public.astype(bool),
        content.vectors(ids),
    )
    follows = _columns(FOLLOWS_SQL, [], (whole,) * 3)
    return Logs(impressions, all_events(until_ms=until), posts, (follows[0], follows[1], follows[2]))

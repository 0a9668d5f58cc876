"""Bulk reads of posts as columns: one query for all rows, aligned with the ids asked for."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields

import numpy as np
from django.db.models import F, Q, QuerySet

from accounts.models import User
from posts.models import Impression, Post, PostCounts, PostTopic
from posts.types import Visibility
from xsocial.kernel import clock, ids

MIN_VIDEO_MS = 5_000  # shorter clips do not count as videos in the recent-post store

# Order of feed.thunder.post_store.PostColumns.
_RECENT = (
    "id",
    "author_id",
    "in_reply_to_id",
    "in_reply_to_user_id",
    "repost_of_id",
    "repost_of__author_id",
    "conversation_id",
    "video_duration_ms",
)


@dataclass(frozen=True, slots=True)
class PostRows:
    """What hydration needs of posts, a value per id asked for. ``found`` is False for no such post.

    Ids are 0 and durations NaN where there is none. Deleted posts count as not found.
    """

    found: np.ndarray
    author_id: np.ndarray
    text: np.ndarray
    language: np.ndarray
    in_reply_to_id: np.ndarray
    repost_of_id: np.ndarray
    repost_of_user_id: np.ndarray
    quote_of_id: np.ndarray
    quote_of_user_id: np.ndarray
    conversation_id: np.ndarray
    subscribers_only: np.ndarray
    has_media: np.ndarray
    video_ms: np.ndarray

    def take(self, index: np.ndarray) -> PostRows:
        """The rows at these positions."""
        return PostRows(*(getattr(self, field.name)[index] for field in fields(self)))


@dataclass(frozen=True, slots=True)
class AuthorRows:
    """Followers and handles of people, a value per id asked for."""

    found: np.ndarray
    followers: np.ndarray
    username: np.ndarray


def post_rows(post_ids: np.ndarray) -> PostRows:
    """Columns for these posts, repeated ids included. One query."""
    wanted, inverse = np.unique(np.asarray(post_ids, np.int64), return_inverse=True)
    n = len(wanted)
    columns = {
        "found": np.zeros(n, bool),
        "author_id": np.zeros(n, np.int64),
        "text": _texts(n),
        "language": _texts(n),
        "in_reply_to_id": np.zeros(n, np.int64),
        "repost_of_id": np.zeros(n, np.int64),
        "repost_of_user_id": np.zeros(n, np.int64),
        "quote_of_id": np.zeros(n, np.int64),
        "quote_of_user_id": np.zeros(n, np.int64),
        "conversation_id": np.zeros(n, np.int64),
        "subscribers_only": np.zeros(n, bool),
        "has_media": np.zeros(n, bool),
        "video_ms": np.full(n, np.nan),
    }
    rows = list(
        Post.objects.filter(pk__in=wanted.tolist(), deleted_at=None).values_list(
            "id",
            "author_id",
            "text",
            "language",
            "in_reply_to_id",
            "repost_of_id",
            "repost_of__author_id",
            "quote_of_id",
            "quote_of__author_id",
            "conversation_id",
            "subscribers_only",
            "has_media",
            "video_duration_ms",
        )
    )
    if rows:
        found_ids, *values = zip(*rows, strict=True)
        at = np.searchsorted(wanted, np.array(found_ids, np.int64))
        columns["found"][at] = True
        for (name, column), given in zip(list(columns.items())[1:], values, strict=True):
            missing = np.nan if name == "video_ms" else "" if column.dtype == object else 0
            column[at] = [missing if value is None else value for value in given]
    return PostRows(**columns).take(inverse)


def author_rows(user_ids: np.ndarray) -> AuthorRows:
    """Followers and handles of these people, repeated ids included. One query."""
    wanted, inverse = np.unique(np.asarray(user_ids, np.int64), return_inverse=True)
    followers, names, found = np.zeros(len(wanted)), _texts(len(wanted)), np.zeros(len(wanted), bool)
    rows = User.objects.filter(pk__in=wanted.tolist()).values_list("id", "followers_count", "username")
    for user_id, count, username in rows:
        at = np.searchsorted(wanted, user_id)
        followers[at], names[at], found[at] = count, username, True
    return AuthorRows(found[inverse], followers[inverse], names[inverse])


def count_rows(post_ids: np.ndarray) -> np.ndarray:
    """Favourites, replies, reposts, quotes and views: an (n, 5) matrix, NaN where unknown. One query."""
    wanted, inverse = np.unique(np.asarray(post_ids, np.int64), return_inverse=True)
    counts = np.full((len(wanted), 5), np.nan)
    rows = list(
        PostCounts.objects.filter(pk__in=wanted.tolist()).values_list(
            "post_id", "favorites", "replies", "reposts", "quotes", "views"
        )
    )
    if rows:
        table = np.array(rows, np.int64)
        counts[np.searchsorted(wanted, table[:, 0])] = table[:, 1:]
    return counts[inverse]


def topics_of(post_ids: Iterable[int], *, min_confidence: float = 0.0) -> dict[int, set[int]]:
    """Topic ids per post at or above a confidence. One query."""
    links = PostTopic.objects.filter(post_id__in=list(post_ids), confidence__gte=min_confidence)
    topics: dict[int, set[int]] = {}
    for post_id, topic_id in links.values_list("post_id", "topic_id"):
        topics.setdefault(post_id, set()).add(topic_id)
    return topics


def impressed_ids(user_id: int, *, since_ms: int, limit: int) -> np.ndarray:
    """Posts this person saw since a moment, newest first. One query."""
    rows = Impression.objects.filter(user_id=user_id, created_at__gte=clock.from_ms(since_ms))
    newest = rows.order_by("-created_at").values_list("post_id", flat=True)[:limit]
    return np.fromiter(newest, np.int64)


def popular_ids(*, newer_than_ms: int, limit: int) -> np.ndarray:
    """Recent public originals, most liked and reposted first. One query."""
    posts = Post.objects.filter(
        pk__gte=ids.id_at(newer_than_ms),
        deleted_at=None,
        visibility=Visibility.PUBLIC,
        repost_of=None,
        in_reply_to=None,
        author__is_locked=False,
    )
    liking = F("counts__favorites") + 2 * F("counts__reposts") + 2 * F("counts__quotes")
    ranked = posts.filter(counts__isnull=False).order_by(liking.desc(), "-id")
    return np.fromiter(ranked.values_list("id", flat=True)[:limit], np.int64)


def recent_by_authors(author_ids: np.ndarray, *, newer_than_ms: int, limit: int) -> list[tuple]:
    """Newest posts of these authors as rows of Thunder's columns, and the parents they answer.

    Two queries. Direct posts are never among them.
    """
    posts = _recent(newer_than_ms).filter(author_id__in=np.asarray(author_ids).tolist())
    rows = _thunder_rows(posts.order_by("-id")[:limit])
    known = {row[0] for row in rows}
    parents = {row[3] for row in rows if row[3]} - known
    return rows + (_thunder_rows(_recent(newer_than_ms).filter(pk__in=parents)) if parents else [])


def recent_posts(*, newer_than_ms: int, chunk: int = 20_000) -> Iterable[list[tuple]]:
    """Everything young enough for the recent-post store, oldest first, in chunks of rows."""
    posts = _recent(newer_than_ms).order_by("id")
    batch: list[tuple] = []
    for row in posts.values_list(*_RECENT).iterator(chunk_size=chunk):
        batch.append(_thunder_row(row))
        if len(batch) == chunk:
            yield batch
            batch = []
    if batch:
        yield batch


def _recent(newer_than_ms: int) -> QuerySet[Post]:
    return Post.objects.filter(~Q(visibility=Visibility.DIRECT), pk__gte=ids.id_at(newer_than_ms), deleted_at=None)


def _thunder_rows(posts: QuerySet[Post]) -> list[tuple]:
    return [_thunder_row(row) for row in posts.values_list(*_RECENT)]


def _thunder_row(row: tuple) -> tuple:
    """A row of ``_RECENT`` in Thunder's column order; times are read from ids."""
    post_id, author_id, *links, video_ms = row
    numbers = (link or 0 for link in links)
    return (post_id, author_id, ids.timestamp_ms(post_id), *numbers, int((video_ms or 0) >= MIN_VIDEO_MS))


def _texts(n: int) -> np.ndarray:
    return np.full(n, "", dtype=object)


def repliers(post_id: int, *, author_id: int, limit: int) -> tuple[int, ...]:
    """Other people who answered a post publicly, most liked answers first. One query."""
    replies = Post.objects.filter(in_reply_to_id=post_id, deleted_at=None, visibility=Visibility.PUBLIC)
    ranked = replies.exclude(author_id=author_id).order_by(F("counts__favorites").desc(nulls_last=True), "-id")
    return tuple(dict.fromkeys(ranked.values_list("author_id", flat=True)[: 3 * limit]))[:limit]

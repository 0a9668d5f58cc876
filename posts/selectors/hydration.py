"""Bulk reads of posts as columns: one query for all rows, aligned with the ids asked for."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, fields

import numpy as np
from django.db.models import F

from posts.models import Post, PostTopic
from posts.types import Visibility
from xsocial.kernel import ids, sql

MIN_VIDEO_MS = 5_000  # shorter clips do not count as videos in the recent-post store


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
    quoted_video_ms: np.ndarray

    def take(self, index: np.ndarray) -> PostRows:
        """The rows at these positions."""
        return PostRows(*(getattr(self, field.name)[index] for field in fields(self)))


@dataclass(frozen=True, slots=True)
class AuthorRows:
    """Followers, handles and the adult flag of people, a value per id asked for."""

    found: np.ndarray
    followers: np.ndarray
    username: np.ndarray
    is_adult: np.ndarray


_POST_NUMBERS = {
    "id": "p.id",
    "author_id": "p.author_id",
    "in_reply_to_id": "coalesce(p.in_reply_to_id, 0)",
    "repost_of_id": "coalesce(p.repost_of_id, 0)",
    "repost_of_user_id": "coalesce((SELECT author_id FROM posts_post o WHERE o.id = p.repost_of_id), 0)",
    "quote_of_id": "coalesce(p.quote_of_id, 0)",
    "quote_of_user_id": "coalesce((SELECT author_id FROM posts_post q WHERE q.id = p.quote_of_id), 0)",
    "conversation_id": "coalesce(p.conversation_id, 0)",
    "subscribers_only": "p.subscribers_only::int",
    "has_media": "p.has_media::int",
    "video_ms": "coalesce(p.video_duration_ms, -1)",
    "quoted_video_ms": """coalesce((
        SELECT video_duration_ms FROM posts_post q WHERE q.id = p.quote_of_id AND q.deleted_at IS NULL), -1)""",
}
# A poll's options are words of the post.
_SAID = "concat_ws(chr(10), p.text, nullif(p.poll_text, ''))"
# Authors of originals as scalars: for many ids PostgreSQL would answer a join by reading every post there is.
_POSTS = f"""
SELECT {", ".join(map(sql.packed, _POST_NUMBERS.values()))}, array_agg({_SAID}), array_agg(p.language)
  FROM posts_post p
 WHERE p.id = ANY(%(ids)s::bigint[]) AND p.deleted_at IS NULL
"""
_AUTHORS = f"""
SELECT {sql.packed("id")}, {sql.packed("followers_count")}, {sql.packed("is_adult_author::int")}, array_agg(username)
  FROM accounts_user WHERE id = ANY(%(ids)s::bigint[])
"""
_COUNTS = f"""
SELECT {", ".join(map(sql.packed, ("post_id", "favorites", "replies", "reposts", "quotes", "views")))}
  FROM posts_postcounts WHERE post_id = ANY(%(ids)s::bigint[])
"""


def post_rows(post_ids: np.ndarray) -> PostRows:
    """Columns for these posts, repeated ids included. One query."""
    wanted, inverse = np.unique(np.asarray(post_ids, np.int64), return_inverse=True)
    *numbers, texts, languages = _read(_POSTS, wanted)
    known = dict(zip(_POST_NUMBERS, map(sql.unpacked, numbers), strict=True))
    at = np.searchsorted(wanted, known.pop("id"))
    lengths = {name: known.pop(name).astype(np.float64) for name in ("video_ms", "quoted_video_ms")}
    return PostRows(
        found=_placed(at, True, np.zeros(len(wanted), bool)),
        text=_placed(at, sql.texts(texts), _texts(len(wanted))),
        language=_placed(at, sql.texts(languages), _texts(len(wanted))),
        subscribers_only=_placed(at, known.pop("subscribers_only") == 1, np.zeros(len(wanted), bool)),
        has_media=_placed(at, known.pop("has_media") == 1, np.zeros(len(wanted), bool)),
        **{
            name: _placed(at, np.where(values < 0, np.nan, values), np.full(len(wanted), np.nan))
            for name, values in lengths.items()
        },
        **{name: _placed(at, values, np.zeros(len(wanted), np.int64)) for name, values in known.items()},
    ).take(inverse)


def author_rows(user_ids: np.ndarray) -> AuthorRows:
    """Followers and handles of these people, repeated ids included. One query."""
    wanted, inverse = np.unique(np.asarray(user_ids, np.int64), return_inverse=True)
    user_id, followers, is_adult, names = _read(_AUTHORS, wanted)
    at = np.searchsorted(wanted, sql.unpacked(user_id))
    return AuthorRows(
        found=_placed(at, True, np.zeros(len(wanted), bool))[inverse],
        followers=_placed(at, sql.unpacked(followers), np.zeros(len(wanted)))[inverse],
        username=_placed(at, sql.texts(names), _texts(len(wanted)))[inverse],
        is_adult=_placed(at, sql.unpacked(is_adult) == 1, np.zeros(len(wanted), bool))[inverse],
    )


def count_rows(post_ids: np.ndarray) -> np.ndarray:
    """Favourites, replies, reposts, quotes and views: an (n, 5) matrix, NaN where unknown. One query."""
    wanted, inverse = np.unique(np.asarray(post_ids, np.int64), return_inverse=True)
    post_id, *counts = map(sql.unpacked, _read(_COUNTS, wanted))
    known = np.full((len(wanted), len(counts)), np.nan)
    known[np.searchsorted(wanted, post_id)] = np.stack(counts, axis=1)
    return known[inverse]


def _read(query: str, wanted: np.ndarray) -> tuple:
    return _one(query, {"ids": sql.bigints(wanted)})


def _one(query: str, params: dict[str, object]) -> tuple:
    found = sql.row(query, params)
    assert found is not None  # an aggregate without groups always has its one row
    return found


def _placed(at: np.ndarray, values: object, column: np.ndarray) -> np.ndarray:
    """The blank column with the found values at their places."""
    column[at] = values
    return column


def topic_links(post_ids: Iterable[int]) -> list[tuple[int, int, float, bool]]:
    """What these posts are about: post, topic, confidence, and whether a person approved it. One query."""
    links = PostTopic.objects.filter(post_id__in=list(post_ids))
    return list(links.values_list("post_id", "topic_id", "confidence", "is_curated"))


_IMPRESSED = """
SELECT post_id FROM posts_impression WHERE user_id = %(who)s ORDER BY created_at DESC LIMIT %(limit)s
"""


def impressed_ids(user_id: int, *, limit: int) -> np.ndarray:
    """Posts this person saw last, newest first. One query."""
    found = sql.rows(_IMPRESSED, {"who": user_id, "limit": limit})
    return np.fromiter((post_id for (post_id,) in found), np.int64)


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


# Order of feed.thunder.post_store.PostColumns, without the time, which the id carries.
_RECENT_COLUMNS = (
    "id",
    "author_id",
    "coalesce(in_reply_to_id, 0)",
    "coalesce(in_reply_to_user_id, 0)",
    "coalesce(repost_of_id, 0)",
    "coalesce(repost_of_user_id, 0)",
    "coalesce(conversation_id, 0)",
    f"(coalesce(video_duration_ms, 0) >= {MIN_VIDEO_MS})::int",
)
_RECENT = f"""
SELECT {", ".join(map(sql.packed, _RECENT_COLUMNS))} FROM (
    SELECT p.id, p.author_id, p.in_reply_to_id, p.in_reply_to_user_id, p.repost_of_id,
           o.author_id AS repost_of_user_id, p.conversation_id, p.video_duration_ms
      FROM posts_post p LEFT JOIN posts_post o ON o.id = p.repost_of_id
     WHERE p.id > %(after)s AND p.deleted_at IS NULL AND p.visibility <> '{Visibility.DIRECT}' AND {{which}}
     ORDER BY p.id {{direction}} LIMIT %(limit)s) AS page
"""
_ALL_RECENT = _RECENT.format(which="true", direction="ASC")
_RECENT_BY_AUTHORS = _RECENT.format(which="p.author_id = ANY(%(ids)s::bigint[])", direction="DESC")
_RECENT_BY_ID = _RECENT.format(which="p.id = ANY(%(ids)s::bigint[])", direction="ASC")


def recent_by_authors(author_ids: np.ndarray, *, newer_than_ms: int, limit: int) -> np.ndarray:
    """Newest posts of these authors, and the parents they answer: a row per column of Thunder's.

    Two queries. Direct posts are never among them.
    """
    after = _before(newer_than_ms)
    posts = _recent(_RECENT_BY_AUTHORS, after=after, ids=sql.bigints(author_ids), limit=limit)
    parents = np.setdiff1d(posts[3], np.append(posts[0], 0))
    if not len(parents):
        return posts
    answered = _recent(_RECENT_BY_ID, after=after, ids=sql.bigints(parents), limit=len(parents))
    return np.concatenate([posts, answered], axis=1)


def recent_posts(*, newer_than_ms: int, chunk: int = 50_000) -> Iterator[np.ndarray]:
    """Everything young enough for the recent-post store, oldest first, in chunks: a row per column of Thunder's."""
    after = _before(newer_than_ms)
    while True:
        posts = _recent(_ALL_RECENT, after=after, limit=chunk)
        if posts.shape[1]:
            yield posts
            after = int(posts[0].max())
        if posts.shape[1] < chunk:
            return


def _before(newer_than_ms: int) -> int:
    """The last id that is too old."""
    return ids.id_at(newer_than_ms) - 1


def _recent(query: str, **params: object) -> np.ndarray:
    """The (9, n) matrix of one question; times are read from ids."""
    post_id, author_id, *others = map(sql.unpacked, _one(query, params))
    return np.stack([post_id, author_id, ids.timestamp_ms(post_id), *others])


def _texts(n: int) -> np.ndarray:
    return np.full(n, "", dtype=object)


def repliers(post_id: int, *, without: Collection[int], limit: int) -> tuple[int, ...]:
    """Other people who answered a post publicly, most liked answers first. One query."""
    replies = Post.objects.filter(in_reply_to_id=post_id, deleted_at=None, visibility=Visibility.PUBLIC)
    ranked = replies.exclude(author_id__in=without).order_by(F("counts__favorites").desc(nulls_last=True), "-id")
    return tuple(dict.fromkeys(ranked.values_list("author_id", flat=True)[: 3 * limit]))[:limit]

"""Posts as pages show them: plain rows in two queries, those they pass on and those they quote included."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime
from itertools import starmap
from typing import NamedTuple

from posts.selectors.visible import Viewer, openable, viewer_id
from xsocial.kernel import clock, sql


class ShownPost(NamedTuple):
    """A post with its author and counters; `answered` is the handle of whom it replies to, empty otherwise."""

    id: int
    author_id: int
    repost_of_id: int | None
    quote_of_id: int | None
    text: str
    spoiler_text: str
    sensitive: bool
    visibility: str
    subscribers_only: bool
    has_media: bool
    application: str
    created_at: datetime
    edited_at: datetime | None
    username: str
    display_name: str
    avatar: str
    is_locked: bool
    is_bot: bool
    replies: int
    reposts: int
    favorites: int
    quotes: int
    views: int
    answered: str
    has_poll: bool


class ShownMedia(NamedTuple):
    """One attachment; `file` and `preview` are names in the store, the second may be empty."""

    id: int
    kind: str
    file: str
    preview: str
    alt_text: str
    width: int
    height: int
    blurhash: str
    duration_ms: int | None


_POSTS = """
WITH listed AS (
    SELECT p.id, p.repost_of_id, coalesce(o.quote_of_id, p.quote_of_id) AS quote_of_id
      FROM posts_post p LEFT JOIN posts_post o ON o.id = p.repost_of_id
     WHERE p.id = ANY(%(ids)s::bigint[])
)
SELECT p.id, p.author_id, p.repost_of_id, p.quote_of_id,
       p.text, p.spoiler_text, p.sensitive, p.visibility, p.subscribers_only, p.has_media,
       p.application, p.created_at, p.edited_at,
       author.username, author.display_name, author.avatar, author.is_locked, author.is_bot,
       coalesce(c.replies, 0), coalesce(c.reposts, 0), coalesce(c.favorites, 0), coalesce(c.quotes, 0),
       coalesce(c.views, 0), coalesce(answered.username, ''), p.poll_text <> ''
  FROM posts_post p
  JOIN accounts_user author ON author.id = p.author_id
  LEFT JOIN posts_postcounts c ON c.post_id = p.id
  LEFT JOIN accounts_user answered ON answered.id = p.in_reply_to_user_id
 WHERE p.id IN (SELECT id FROM listed UNION SELECT repost_of_id FROM listed UNION SELECT quote_of_id FROM listed)
   AND {openable}
"""
_MEDIA = """
SELECT post_id, id, kind, file, preview, alt_text, width, height, blurhash, duration_ms
  FROM posts_media WHERE post_id = ANY(%(ids)s::bigint[]) ORDER BY position, id
"""


def shown_posts(viewer: Viewer, post_ids: Iterable[int]) -> dict[int, ShownPost]:
    """By id: these posts, the originals of reposts, and what either quotes, as far as the viewer may open them.

    One query. A repost may be shown only while its original is among them.
    """
    who = viewer_id(viewer)
    params = {"ids": sql.bigints(post_ids), "who": who, "now": clock.now()}
    found = starmap(ShownPost, sql.rows(_POSTS.format(openable=openable(who is not None)), params))
    return {post.id: post for post in found}


def shown_media(post_ids: Iterable[int]) -> dict[int, list[ShownMedia]]:
    """Attachments by post, in their order. One query; none for no posts."""
    wanted = list(post_ids)
    found: dict[int, list[ShownMedia]] = defaultdict(list)
    for post_id, *columns in sql.rows(_MEDIA, {"ids": sql.bigints(wanted)}) if wanted else ():
        found[post_id].append(ShownMedia(*columns))
    return found

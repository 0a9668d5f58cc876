"""Everything a list of posts needs to be shown, in a number of queries that does not grow with it."""

from collections import defaultdict
from collections.abc import Iterable

from django.db.models import Prefetch, QuerySet

from posts.models import Mention, Post
from posts.selectors.visible import Viewer, viewer_id, visible_to
from posts.types import EngagementKind, ViewerMarks
from xsocial.kernel import sql

_PINNED = -1
_MARKED = {
    EngagementKind.FAVORITE: "is_favorited",
    EngagementKind.REPOST: "is_reposted",
    EngagementKind.BOOKMARK: "is_bookmarked",
    _PINNED: "is_pinned",
}


def detailed(viewer: Viewer, posts: QuerySet[Post]) -> QuerySet[Post]:
    """Add author, counts, attachments, mentions, tags, the original and the quoted post.

    `quote_of` is None on a post whose quoted post the viewer may not open, while `quote_of_id`
    still says that there is one.
    """
    quoted = visible_to(viewer).select_related("author", "counts").prefetch_related("media")
    mentions = Mention.objects.select_related("user").order_by("pk")
    return posts.select_related("author", "counts", "repost_of__author", "repost_of__counts").prefetch_related(
        "media",
        Prefetch("mentions", mentions),
        "tag_links__tag",
        Prefetch("quote_of", quoted),
        "repost_of__media",
        Prefetch("repost_of__mentions", mentions),
        "repost_of__tag_links__tag",
        Prefetch("repost_of__quote_of", quoted),
    )


def posts_by_id(viewer: Viewer, post_ids: Iterable[int]) -> list[Post]:
    """The posts of these ids that the viewer may open, detailed, in the order given."""
    wanted = list(dict.fromkeys(post_ids))
    found = {post.pk: post for post in detailed(viewer, visible_to(viewer).filter(pk__in=wanted))}
    return [found[post_id] for post_id in wanted if post_id in found]


_MARKS = """
SELECT post_id, kind FROM posts_engagement
 WHERE user_id = %(user)s AND post_id = ANY(%(posts)s::bigint[]) AND kind = ANY(%(kinds)s::bigint[])
UNION ALL
SELECT post_id, %(pinned)s FROM posts_pin WHERE author_id = %(user)s AND post_id = ANY(%(posts)s::bigint[])
"""


def viewer_marks(viewer: Viewer, post_ids: Iterable[int]) -> dict[int, ViewerMarks]:
    """What the viewer did with these posts: one query, an entry for every id.

    Actions on a repost are actions on its original: ask with the original's id.
    """
    wanted = set(post_ids)
    who = viewer_id(viewer)
    done: dict[int, dict[str, bool]] = defaultdict(dict)
    if who is not None and wanted:
        kinds = sql.bigints(map(int, _MARKED))
        params = {"user": who, "posts": sql.bigints(wanted), "kinds": kinds, "pinned": _PINNED}
        for post_id, kind in sql.rows(_MARKS, params):
            done[post_id][_MARKED[kind]] = True
    return {post_id: ViewerMarks(**done[post_id]) for post_id in wanted}

"""A conversation around one post: what it answers, and what answers it."""

from collections import defaultdict
from collections.abc import Callable, Collection
from dataclasses import dataclass, field

from django.db import connection

from posts.models import Post
from posts.selectors.details import detailed
from posts.selectors.visible import Viewer, visible_to

LoweredSource = Callable[[Collection[int]], Collection[int]]

MAX_ANCESTORS = 100
MAX_DEPTH = 40
MAX_DESCENDANTS = 500

_ANCESTORS = """
WITH RECURSIVE chain(id, parent_id, depth) AS (
    SELECT id, in_reply_to_id, 0 FROM posts_post WHERE id = %s
    UNION ALL
    SELECT p.id, p.in_reply_to_id, c.depth + 1
    FROM posts_post p JOIN chain c ON p.id = c.parent_id WHERE c.depth < %s
)
SELECT id FROM chain WHERE depth > 0 ORDER BY depth DESC
"""
# Level by level, so that the limit cuts the deepest replies first.
_DESCENDANTS = """
WITH RECURSIVE tree(id, parent_id, depth) AS (
    SELECT id, in_reply_to_id, 1 FROM posts_post WHERE in_reply_to_id = %s
    UNION ALL
    SELECT p.id, p.in_reply_to_id, t.depth + 1
    FROM posts_post p JOIN tree t ON p.in_reply_to_id = t.id WHERE t.depth < %s
)
SELECT id, parent_id FROM tree LIMIT %s
"""


def _nothing_lowered(post_ids: Collection[int]) -> Collection[int]:
    return ()


_lowered_source: LoweredSource = _nothing_lowered


def use_lowered_source(source: LoweredSource) -> None:
    """Ask `source` from now on which replies go below the others: layers above know, this one does not."""
    global _lowered_source
    _lowered_source = source


@dataclass(frozen=True)
class Thread:
    """`ancestors` from the root down, `descendants` depth first, each level by time, lowered ones last.

    `depths` has 1 for a direct answer, 2 for an answer to that, and so on.
    """

    ancestors: list[Post]
    descendants: list[Post]
    depths: dict[int, int] = field(default_factory=dict)


def thread(viewer: Viewer, post: Post, *, with_deleted: bool = False) -> Thread:
    """The conversation as this viewer may see it, bounded, in constant queries.

    Posts the viewer may not open are left out and their answers stay. `with_deleted` keeps the
    emptied rows of deleted posts, to show where something was said.
    """
    above = _rows(_ANCESTORS, [post.pk, MAX_ANCESTORS])
    below = _rows(_DESCENDANTS, [post.pk, MAX_DEPTH, MAX_DESCENDANTS])
    shown = _shown(viewer, [row[0] for row in (*above, *below)], with_deleted)
    lowered = set(_lowered_source([post_id for post_id, _ in below])) if below else set()
    ordered, depths = _depth_first(post.pk, below, lowered)
    return Thread(
        ancestors=[shown[post_id] for (post_id,) in above if post_id in shown],
        descendants=[shown[post_id] for post_id in ordered if post_id in shown],
        depths=depths,
    )


def _rows(sql: str, params: list[int]) -> list[tuple]:
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        return cursor.fetchall()


def _shown(viewer: Viewer, post_ids: list[int], with_deleted: bool) -> dict[int, Post]:
    posts = {post.pk: post for post in detailed(viewer, visible_to(viewer).filter(pk__in=post_ids))}
    if with_deleted:
        gone = Post.objects.filter(pk__in=post_ids, deleted_at__isnull=False).select_related("author", "counts")
        posts.update((post.pk, post) for post in gone)
    return posts


def _depth_first(root_id: int, edges: list[tuple[int, int]], lowered: set[int]) -> tuple[list[int], dict[int, int]]:
    def last_first(post_ids: list[int]) -> list[int]:
        return sorted(post_ids, key=lambda post_id: (post_id in lowered, post_id), reverse=True)

    children = defaultdict(list)
    for post_id, parent_id in edges:
        children[parent_id].append(post_id)
    ordered, depths = [], {root_id: 0}
    waiting = last_first(children[root_id])
    parents = dict(edges)
    while waiting:
        post_id = waiting.pop()
        ordered.append(post_id)
        depths[post_id] = depths[parents[post_id]] + 1
        waiting.extend(last_first(children[post_id]))
    del depths[root_id]
    return ordered, depths

"""A conversation around one post: what it answers, and what answers it."""

from collections import defaultdict
from collections.abc import Callable, Collection
from dataclasses import dataclass

from posts.models import Post
from posts.selectors.details import detailed
from posts.selectors.visible import Viewer, visible_to
from xsocial.kernel import sql

LoweredSource = Callable[[Collection[int]], Collection[int]]

MAX_ANCESTORS = 100
MAX_DEPTH = 40
MAX_DESCENDANTS = 500

_ANCESTORS = """
WITH RECURSIVE chain(id, parent_id, depth) AS (
    SELECT id, in_reply_to_id, 0 FROM posts_post WHERE id = %(post)s
    UNION ALL
    SELECT p.id, p.in_reply_to_id, c.depth + 1
    FROM posts_post p JOIN chain c ON p.id = c.parent_id WHERE c.depth < %(most)s
)
SELECT id FROM chain WHERE depth > 0 ORDER BY depth DESC
"""
# Level by level, so that the limit cuts the deepest replies first.
_DESCENDANTS = """
WITH RECURSIVE tree(id, parent_id, depth) AS (
    SELECT id, in_reply_to_id, 1 FROM posts_post WHERE in_reply_to_id = %(post)s
    UNION ALL
    SELECT p.id, p.in_reply_to_id, t.depth + 1
    FROM posts_post p JOIN tree t ON p.in_reply_to_id = t.id WHERE t.depth < %(deepest)s
)
SELECT id, parent_id FROM tree LIMIT %(most)s
"""


def _nothing_lowered(post_ids: Collection[int]) -> Collection[int]:
    return ()


_lowered_source: LoweredSource = _nothing_lowered


def use_lowered_source(source: LoweredSource) -> None:
    """Ask `source` from now on which replies go below the others: layers above know, this one does not."""
    global _lowered_source
    _lowered_source = source


@dataclass(frozen=True)
class Conversation:
    """Ids around a post: what it answers from the root down, and its answers depth first.

    Each level goes by time, lowered answers last.

    `depths` has 1 for a direct answer, 2 for an answer to that, and so on.
    """

    above: list[int]
    below: list[int]
    depths: dict[int, int]


@dataclass(frozen=True)
class Thread:
    """A conversation as one viewer may see it, with its posts."""

    ancestors: list[Post]
    descendants: list[Post]
    depths: dict[int, int]


def conversation(post_id: int) -> Conversation:
    """Everything around a post whoever looks, bounded, in two queries and those of the lowered source."""
    above = sql.rows(_ANCESTORS, {"post": post_id, "most": MAX_ANCESTORS})
    below = sql.rows(_DESCENDANTS, {"post": post_id, "deepest": MAX_DEPTH, "most": MAX_DESCENDANTS})
    lowered = set(_lowered_source([answer for answer, _ in below])) if below else set()
    ordered, depths = _depth_first(post_id, below, lowered)
    return Conversation([ancestor for (ancestor,) in above], ordered, depths)


def thread(viewer: Viewer, post: Post) -> Thread:
    """The conversation as this viewer may see it, in constant queries.

    Posts the viewer may not open are left out and their answers stay.
    """
    around = conversation(post.pk)
    listed = visible_to(viewer).filter(pk__in=[*around.above, *around.below])
    posts = {found.pk: found for found in detailed(viewer, listed)}
    return Thread(
        ancestors=[posts[post_id] for post_id in around.above if post_id in posts],
        descendants=[posts[post_id] for post_id in around.below if post_id in posts],
        depths=around.depths,
    )


def gone(post_ids: list[int]) -> set[int]:
    """Which of these posts were deleted, to show where something was said. One query."""
    return set(Post.objects.filter(pk__in=post_ids, deleted_at__isnull=False).values_list("pk", flat=True))


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

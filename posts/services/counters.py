"""Exact counters. The counts row of a post is also the lock of everything that happens to it.

Order of locks in this app: counts rows by post id, then people by id.
"""

from posts.models import Post
from xsocial.kernel import sql
from xsocial.kernel.errors import NotFound

_LOCK = """
SELECT post_id FROM posts_postcounts WHERE post_id = ANY(%(ids)s::bigint[]) ORDER BY post_id FOR NO KEY UPDATE
"""
_LOCK_PEOPLE = "SELECT id FROM accounts_user WHERE id = ANY(%(ids)s::bigint[]) ORDER BY id FOR NO KEY UPDATE"
_COUNT_POSTS = "UPDATE accounts_user SET posts_count = posts_count + %(by)s WHERE id = ANY(%(ids)s::bigint[])"
_ALIVE = "SELECT 1 FROM posts_post WHERE id = %(post)s AND deleted_at IS NULL"


def lock_posts(post_ids: set[int]) -> dict[int, Post]:
    """Lock the counters of these posts and return the posts as they are now, by id."""
    locked = sql.rows(_LOCK, {"ids": sql.bigints(post_ids)})
    # The posts are read after the locks are held, hence never stale.
    return Post.objects.select_related("author").in_bulk([post_id for (post_id,) in locked])


def lock_live_post(post_id: int) -> Post:
    """Lock one post and give it as it is now. Raises NotFound when it was deleted meanwhile."""
    post = lock_posts({post_id}).get(post_id)
    if post is None or post.is_deleted:
        raise NotFound("This post was deleted.")
    return post


def lock_alive(post: Post) -> Post:
    """Lock a post that was read a moment ago. Raises NotFound when it was deleted meanwhile."""
    sql.rows(_LOCK, {"ids": sql.bigints([post.pk])})
    if sql.row(_ALIVE, {"post": post.pk}) is None:
        raise NotFound("This post was deleted.")
    return post


def add(post_id: int, **changes: int) -> None:
    """Add to counters of a locked post: `add(post_id, favorites=-1)`."""
    added = ", ".join(f"{name} = {name} + %({name})s" for name in changes)
    sql.execute(f"UPDATE posts_postcounts SET {added} WHERE post_id = %(post)s", {"post": post_id, **changes})


def add_to_posts_count(user_ids: list[int], by: int) -> None:
    """Add to the number of posts of people, whose rows are locked in id order."""
    people = sql.bigints(user_ids)
    sql.rows(_LOCK_PEOPLE, {"ids": people})
    sql.execute(_COUNT_POSTS, {"ids": people, "by": by})

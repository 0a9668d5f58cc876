"""The one door to "may this viewer open this post".

Every read of posts for a viewer starts from `visible_to`; views and services filter by block,
lock or visibility nowhere else. What a viewer would rather not see (mutes, labels) is not
decided here: those posts can still be opened.
"""

import re
from functools import cache
from typing import Any, TypeAlias

from django.contrib.auth.models import AnonymousUser
from django.db.models import BooleanField, Expression, F, QuerySet
from django.db.models.sql.compiler import SQLCompiler

from accounts.models import User
from posts.models import Post
from posts.types import Visibility
from xsocial.kernel import clock, ids, sql
from xsocial.kernel.errors import NotFound

Viewer: TypeAlias = User | AnonymousUser | None

#: Visibilities that do not depend on who looks.
OPEN = (Visibility.PUBLIC, Visibility.UNLISTED)


def viewer_id(viewer: Viewer) -> int | None:
    """The viewer's id; None for a visitor without an account."""
    return viewer.pk if viewer is not None and viewer.is_authenticated else None


def visible_to(viewer: Viewer) -> QuerySet[Post]:
    """Posts this viewer may open. A repost counts only while its original may be opened too.

    Left out: deleted and withheld posts, unreachable authors, blocks either way, posts of locked accounts and
    for followers only unless followed or named, direct posts unless named, subscriber-only posts
    unless subscribed. One's own posts are always there.
    """
    return Post.objects.filter(Openable(viewer_id(viewer)))


def get_visible_post(viewer: Viewer, post_id: int | str) -> Post:
    """The post, with its author. Raises NotFound alike for none, a hidden and a forged id."""
    who = viewer_id(viewer)
    found = sql.row(_opened(who is not None), {"post": _parsed(post_id), "who": who, "now": clock.now()})
    if found is None:
        raise NotFound("This post does not exist, or you may not see it.")
    post, author = sql.made(Post, found), sql.made(User, found[len(Post._meta.concrete_fields) :])
    post.author, post.opened_by = author, who
    return post


def visible_ids(viewer: Viewer, post_ids: list[int]) -> set[int]:
    """Which of these posts the viewer may open."""
    return set(visible_to(viewer).filter(pk__in=post_ids).values_list("pk", flat=True))


def _parsed(post_id: int | str) -> int:
    found = ids.parsed(str(post_id))
    if found is None:
        raise NotFound("This post does not exist, or you may not see it.")
    return found


# `p` stands for the post's columns. Written in SQL because this condition begins every read of
# posts: built from lookups it costs the ORM some ten milliseconds each time, more than the database.
_ANYBODY = """p.visibility IN ('public', 'unlisted') AND NOT a.is_locked AND NOT p.subscribers_only"""
_VIEWER = """a.id = %(who)s OR (
    NOT EXISTS (SELECT 1 FROM accounts_block b WHERE b.blocker_id = %(who)s AND b.blocked_id = a.id)
    AND NOT EXISTS (SELECT 1 FROM accounts_block b WHERE b.blocker_id = a.id AND b.blocked_id = %(who)s)
    AND (NOT p.subscribers_only OR EXISTS (
        SELECT 1 FROM accounts_creatorsubscription s WHERE s.subscriber_id = %(who)s AND s.author_id = a.id
        AND (s.expires_at IS NULL OR s.expires_at > %(now)s)))
    AND ((p.visibility IN ('public', 'unlisted') AND NOT a.is_locked)
        OR (p.visibility <> 'direct' AND EXISTS (
            SELECT 1 FROM accounts_follow f WHERE f.follower_id = %(who)s AND f.followee_id = a.id))
        OR EXISTS (SELECT 1 FROM posts_mention m WHERE m.post_id = p.id AND m.user_id = %(who)s)))"""
_OPENABLE = """p.deleted_at IS NULL AND (p.withheld_until IS NULL OR p.withheld_until <= %(now)s{own})
AND EXISTS (
    SELECT 1 FROM accounts_user a WHERE a.id = p.author_id AND a.is_active
    AND a.suspended_at IS NULL AND a.deactivated_at IS NULL AND ({rule}))"""
_ALIAS = re.compile(r"\bp\.")


@cache
def openable(who_looks: bool, post: str = "p") -> str:
    """SQL of the rule on a post that goes by this name, for somebody or, if nobody looks, for anybody.

    Its named places are `who` and `now`. For a repost the rule has to hold on the original as well.
    """
    rule, own = (_VIEWER, " OR p.author_id = %(who)s") if who_looks else (_ANYBODY, "")
    return _ALIAS.sub(f"{post}.", _OPENABLE.format(rule=rule, own=own))


@cache
def showable(who_looks: bool, post: str = "p") -> str:
    """SQL of the rule on a post and, for a repost, on its original; see `openable`."""
    # Not EXISTS: the planner would read all posts to know which originals may be opened.
    original = f"(SELECT true FROM posts_post o WHERE o.id = {post}.repost_of_id AND {openable(who_looks, 'o')})"
    return f"({openable(who_looks, post)} AND ({post}.repost_of_id IS NULL OR coalesce({original}, false)))"


@cache
def _opened(who_looks: bool) -> str:
    """SQL of one post with its author, in that order, under the rule of `visible_to`; on the path of every action."""
    return f"""
SELECT {sql.columns(Post, "p")}, {sql.columns(User, "author")}
  FROM posts_post p JOIN accounts_user author ON author.id = p.author_id
 WHERE p.id = %(post)s AND {showable(who_looks)}"""


class Openable(Expression):
    """The condition of `visible_to`, in the queries of the ORM."""

    output_field = BooleanField()
    conditional = True

    def __init__(self, who: int | None) -> None:
        super().__init__()
        self.who, self.now = who, clock.now()
        self.column: Any = F("id")

    def get_source_expressions(self) -> list[Any]:
        return [self.column]

    def set_source_expressions(self, columns: list[Any]) -> None:
        [self.column] = columns

    def as_sql(self, compiler: SQLCompiler, connection: Any) -> tuple[str, list[Any]]:
        post = compiler.compile(self.column)[0].rpartition(".")[0]
        return sql.positional(showable(self.who is not None, post), {"who": self.who, "now": self.now})

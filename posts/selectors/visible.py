"""The one door to "may this viewer open this post".

Every read of posts for a viewer starts from `visible_to`; views and services filter by block,
lock or visibility nowhere else. What a viewer would rather not see (mutes, labels) is not
decided here: those posts can still be opened.
"""

from dataclasses import dataclass
from typing import TypeAlias

from django.contrib.auth.models import AnonymousUser
from django.db.models import Q, QuerySet

from accounts.models import Block, CreatorSubscription, Follow, User
from posts.models import Mention, Post
from posts.types import Visibility
from xsocial.kernel import clock
from xsocial.kernel.errors import NotFound

Viewer: TypeAlias = User | AnonymousUser | None

#: Visibilities that do not depend on who looks.
OPEN = (Visibility.PUBLIC, Visibility.UNLISTED)
_MAX_ID = 2**63 - 1


def viewer_id(viewer: Viewer) -> int | None:
    """The viewer's id; None for a visitor without an account."""
    return viewer.pk if viewer is not None and viewer.is_authenticated else None


def visible_to(viewer: Viewer) -> QuerySet[Post]:
    """Posts this viewer may open. A repost counts only while its original may be opened too.

    Left out: deleted posts, unreachable authors, blocks either way, posts of locked accounts and
    for followers only unless followed or named, direct posts unless named, subscriber-only posts
    unless subscribed. One's own posts are always there.
    """
    who = viewer_id(viewer)
    ties = None if who is None else _ties_of(who)
    return Post.objects.filter(_openable(ties, ""), Q(repost_of__isnull=True) | _openable(ties, "repost_of__"))


def get_visible_post(viewer: Viewer, post_id: int | str) -> Post:
    """The post, with its author. Raises NotFound alike for none, a hidden and a forged id."""
    post = visible_to(viewer).select_related("author").filter(pk=_parsed(post_id)).first()
    if post is None:
        raise NotFound("This post does not exist, or you may not see it.")
    return post


def visible_ids(viewer: Viewer, post_ids: list[int]) -> set[int]:
    """Which of these posts the viewer may open."""
    return set(visible_to(viewer).filter(pk__in=post_ids).values_list("pk", flat=True))


def _parsed(post_id: int | str) -> int:
    text = str(post_id)
    if not text.isascii() or not text.isdigit() or int(text) > _MAX_ID:
        raise NotFound("This post does not exist, or you may not see it.")
    return int(text)


@dataclass(frozen=True)
class _Ties:
    """What ties a viewer to authors and posts, as subqueries: each is built once per question.

    They do not depend on the row, so the database reads each once, not once per post.
    """

    who: int
    followed: QuerySet
    naming: QuerySet
    paid: QuerySet
    blocked: tuple[QuerySet, QuerySet]


def _ties_of(who: int) -> _Ties:
    current = Q(expires_at__isnull=True) | Q(expires_at__gt=clock.now())
    return _Ties(
        who=who,
        followed=Follow.objects.filter(follower_id=who).values("followee_id"),
        naming=Mention.objects.filter(user_id=who).values("post_id"),
        paid=CreatorSubscription.objects.filter(current, subscriber_id=who).values("author_id"),
        blocked=(
            Block.objects.filter(blocker_id=who).values("blocked_id"),
            Block.objects.filter(blocked_id=who).values("blocker_id"),
        ),
    )


def _openable(ties: _Ties | None, at: str) -> Q:
    """The condition on the post reached through the lookup prefix `at`."""
    exists = Q(
        **{
            f"{at}deleted_at__isnull": True,
            f"{at}author__is_active": True,
            f"{at}author__suspended_at__isnull": True,
            f"{at}author__deactivated_at__isnull": True,
        }
    )
    is_open = Q(**{f"{at}visibility__in": OPEN, f"{at}author__is_locked": False})
    is_free = Q(**{f"{at}subscribers_only": False})
    if ties is None:
        return exists & is_open & is_free
    author = f"{at}author_id"
    is_own = Q(**{author: ties.who})
    reaches = ~Q(**{f"{at}visibility": Visibility.DIRECT}) & Q(**{f"{author}__in": ties.followed})
    is_named = Q(**{f"{at}id__in": ties.naming})
    is_paid = is_free | Q(**{f"{author}__in": ties.paid})
    mine, theirs = ties.blocked
    is_blocked = Q(**{f"{author}__in": mine}) | Q(**{f"{author}__in": theirs})
    return exists & (is_own | (~is_blocked & is_paid & (is_open | reaches | is_named)))

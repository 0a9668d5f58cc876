"""What people do about posts: toggles, single actions, and acts on the author made from a post.

The log and the graph cannot disagree: a block made from a post is written by the same call that
blocks, and a favorite exists exactly when its row does.
"""

import math
from datetime import datetime

from django.db import transaction

from accounts import services as accounts
from accounts.models import User
from accounts.types import FollowState
from posts.models import Bookmark, Post
from posts.models.notification import NotificationKind
from posts.selectors.visible import get_visible_post
from posts.services import counters
from posts.services.log import log_engagement, unlog_engagement
from posts.services.notifications import notify, withdraw
from posts.services.reposts import repost
from posts.types import EngagementKind, Surface
from xsocial.kernel import sql
from xsocial.kernel.errors import Invalid

_SHARES = {EngagementKind.SHARE, EngagementKind.SHARE_VIA_DM, EngagementKind.SHARE_VIA_COPY_LINK}
_ON_VIDEO = {EngagementKind.VIDEO_VIEW, EngagementKind.VIDEO_QUALITY_VIEW}
_TIMED = {EngagementKind.DWELL, EngagementKind.DWELL_TIME, EngagementKind.CLICK_DWELL}
#: Judgements: saying them again adds nothing.
_ONCE = {
    EngagementKind.NOT_INTERESTED,
    EngagementKind.REPORT,
    EngagementKind.FOLLOW_AUTHOR,
    EngagementKind.MUTE_AUTHOR,
    EngagementKind.BLOCK_AUTHOR,
}
MAX_SECONDS = 24 * 3600.0
_DONE = """
SELECT 1 FROM posts_engagement WHERE user_id = %(user)s AND post_id = %(post)s AND kind = %(kind)s LIMIT 1
"""


@transaction.atomic
def favorite(*, user: User, post: Post, surface: Surface = Surface.UNSPECIFIED, request_id: int | None = None) -> None:
    """Like a post, once. Raises NotFound for one that may not be opened."""
    target = _locked_target(user, post)
    if _has(user, target, EngagementKind.FAVORITE):
        return
    log_engagement(user=user, post=target, kind=EngagementKind.FAVORITE, surface=surface, request_id=request_id)
    counters.add(target.pk, favorites=1)
    notify([target.author_id], actor=user, kind=NotificationKind.FAVORITE, post=target)


@transaction.atomic
def unfavorite(*, user: User, post: Post) -> None:
    """Take a like back, even from a post one may no longer open."""
    target = _locked_original(post)
    if target and unlog_engagement(user=user, post=target, kind=EngagementKind.FAVORITE):
        counters.add(target.pk, favorites=-1)
        withdraw(actor=user, kind=NotificationKind.FAVORITE, post=target)


@transaction.atomic
def bookmark(*, user: User, post: Post, surface: Surface = Surface.UNSPECIFIED, request_id: int | None = None) -> None:
    """Keep a post for later, once. Nobody is told."""
    target = _locked_target(user, post)
    _, is_new = Bookmark.objects.get_or_create(user=user, post=target)
    if is_new:
        log_engagement(user=user, post=target, kind=EngagementKind.BOOKMARK, surface=surface, request_id=request_id)
        counters.add(target.pk, bookmarks=1)


@transaction.atomic
def unbookmark(*, user: User, post: Post) -> None:
    target = _locked_original(post)
    if target and Bookmark.objects.filter(user=user, post=target).delete()[0]:
        unlog_engagement(user=user, post=target, kind=EngagementKind.BOOKMARK)
        counters.add(target.pk, bookmarks=-1)


@transaction.atomic
def record_engagement(
    *,
    user: User,
    post_id: int | str,
    kind: int,
    surface: int = Surface.UNSPECIFIED,
    seconds: float | None = None,
    request_id: int | None = None,
) -> None:
    """Log any action on a post, together with what it implies.

    Favorites, reposts and bookmarks toggle on; follow, mute and block act on the author. Replies
    and quotes are logged by `create_post` alone. Raises NotFound for a post that may not be
    opened, Invalid for an unknown kind, surface or time.
    """
    known_kind, known_surface = _known(kind, surface)
    post = get_visible_post(user, post_id)
    if known_kind in _ACTIONS:
        _ACTIONS[known_kind](user=user, post=post, surface=known_surface, request_id=request_id)
        return
    target = post if post.repost_of_id is None else get_visible_post(user, post.repost_of_id)
    _check_possible(known_kind, target, seconds)
    if known_kind in _ONCE and _has(user, target, known_kind):
        return
    if known_kind in _SHARES:
        counters.lock_alive(target)
        counters.add(target.pk, shares=1)
    log_engagement(
        user=user, post=target, kind=known_kind, surface=known_surface, seconds=seconds, request_id=request_id
    )


@transaction.atomic
def follow_author(
    *, user: User, post: Post, surface: Surface = Surface.UNSPECIFIED, request_id: int | None = None
) -> FollowState:
    """Follow the author because of this post."""
    target = _target(user, post)
    state = accounts.follow(follower=user, followee=target.author)
    _log_once(user, target, EngagementKind.FOLLOW_AUTHOR, surface, request_id)
    return state


@transaction.atomic
def mute_author(
    *,
    user: User,
    post: Post,
    surface: Surface = Surface.UNSPECIFIED,
    request_id: int | None = None,
    expires_at: datetime | None = None,
) -> None:
    """Mute the author because of this post."""
    target = _target(user, post)
    accounts.mute(muter=user, muted=target.author, expires_at=expires_at)
    _log_once(user, target, EngagementKind.MUTE_AUTHOR, surface, request_id)


@transaction.atomic
def block_author(
    *, user: User, post: Post, surface: Surface = Surface.UNSPECIFIED, request_id: int | None = None
) -> None:
    """Block the author because of this post."""
    target = _target(user, post)
    accounts.block(blocker=user, blocked=target.author)
    _log_once(user, target, EngagementKind.BLOCK_AUTHOR, surface, request_id)


#: Kinds that do more than leave a line in the log.
_ACTIONS = {
    EngagementKind.FAVORITE: favorite,
    EngagementKind.REPOST: repost,
    EngagementKind.BOOKMARK: bookmark,
    EngagementKind.FOLLOW_AUTHOR: follow_author,
    EngagementKind.MUTE_AUTHOR: mute_author,
    EngagementKind.BLOCK_AUTHOR: block_author,
}


def _target(user: User, post: Post) -> Post:
    """The original behind a post, if this person may open it."""
    if post.repost_of_id is None and post.opened_by == user.pk:  # the view came through the same door
        return post
    return get_visible_post(user, post.repost_of_id or post.pk)


def _locked_target(user: User, post: Post) -> Post:
    return counters.lock_alive(_target(user, post))


def _locked_original(post: Post) -> Post | None:
    original_id = post.repost_of_id or post.pk
    return counters.lock_posts({original_id}).get(original_id)


def _has(user: User, post: Post, kind: EngagementKind) -> bool:
    found = sql.row(_DONE, {"user": user.pk, "post": post.pk, "kind": int(kind)})
    return found is not None


def _log_once(user: User, post: Post, kind: EngagementKind, surface: Surface, request_id: int | None) -> None:
    if not _has(user, post, kind):
        log_engagement(user=user, post=post, kind=kind, surface=surface, request_id=request_id)


def _known(kind: int, surface: int) -> tuple[EngagementKind, Surface]:
    try:
        known = EngagementKind(kind)
    except ValueError:
        raise Invalid("Unknown kind of engagement.", extra={"field": "kind"}) from None
    if known in (EngagementKind.REPLY, EngagementKind.QUOTE):
        raise Invalid("Replies and quotes are logged when they are posted.", extra={"field": "kind"})
    try:
        return known, Surface(surface)
    except ValueError:
        raise Invalid("Unknown surface.", extra={"field": "surface"}) from None


def _check_possible(kind: EngagementKind, post: Post, seconds: float | None) -> None:
    """Refuse what cannot have happened, so that training never learns from it."""
    if kind in _ON_VIDEO and post.video_duration_ms is None:
        raise Invalid("This post has no video.", extra={"field": "kind"})
    if kind == EngagementKind.PHOTO_EXPAND and not post.has_media:
        raise Invalid("This post has no picture.", extra={"field": "kind"})
    if kind == EngagementKind.QUOTED_CLICK and post.quote_of_id is None:
        raise Invalid("This post quotes nothing.", extra={"field": "kind"})
    if kind == EngagementKind.QUOTED_VIDEO_QUALITY_VIEW and not _quotes_video(post):
        raise Invalid("This post quotes no video.", extra={"field": "kind"})
    if seconds is None and kind in _TIMED:
        raise Invalid("Say for how long.", extra={"field": "seconds"})
    if seconds is not None and not (math.isfinite(seconds) and 0 <= seconds <= MAX_SECONDS):
        raise Invalid("The time is out of range.", extra={"field": "seconds"})


def _quotes_video(post: Post) -> bool:
    return post.quote_of is not None and post.quote_of.video_duration_ms is not None

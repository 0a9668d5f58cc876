"""Passing a post on, and taking that back. A repost is a row of its own that points at the original."""

from django.db import transaction

from accounts.models import User
from posts.models import Post, PostCounts
from posts.models.notification import NotificationKind
from posts.selectors.visible import OPEN, get_visible_post
from posts.services import counters
from posts.services.creation import announce_created
from posts.services.deletion import retire_reposts
from posts.services.log import log_engagement, unlog_engagement
from posts.services.notifications import notify, withdraw
from posts.types import EngagementKind, Surface, Visibility
from xsocial.kernel import clock, ids
from xsocial.kernel.errors import NotAllowed


@transaction.atomic
def repost(*, user: User, post: Post, surface: Surface = Surface.UNSPECIFIED, request_id: int | None = None) -> Post:
    """Pass a post on to one's followers; returns the repost, the earlier one when repeated.

    Raises NotFound for a post one may not open, NotAllowed for one that is not for everybody.
    """
    original = counters.lock_live_post(get_visible_post(user, post.repost_of_id or post.pk).pk)
    existing = Post.objects.filter(author=user, repost_of=original, deleted_at=None).first()
    if existing:
        return existing
    _check_may_repost(user, original)
    row = _stored(user, original)
    counters.add(original.pk, reposts=1)
    counters.add_to_posts_count([user.pk], 1)
    log_engagement(
        user=user,
        post=original,
        kind=EngagementKind.REPOST,
        surface=surface,
        request_id=request_id,
        made_post_id=row.pk,
    )
    notify([original.author_id], actor=user, kind=NotificationKind.REPOST, post=original)
    announce_created(row, original=original)
    return row


@transaction.atomic
def undo_repost(*, user: User, post: Post) -> None:
    """Take a repost back; `post` is the original or the repost. Nothing happens without one."""
    original = counters.lock_posts({post.repost_of_id or post.pk}).get(post.repost_of_id or post.pk)
    if original is None or not retire_reposts(original, by=user):
        return
    unlog_engagement(user=user, post=original, kind=EngagementKind.REPOST)
    withdraw(actor=user, kind=NotificationKind.REPOST, post=original)


def _check_may_repost(user: User, original: Post) -> None:
    is_public = original.visibility in OPEN and not original.author.is_locked and not original.subscribers_only
    is_own = original.author_id == user.pk and original.visibility != Visibility.DIRECT
    if not is_public and not is_own:
        raise NotAllowed("This post is not for everybody, so it cannot be reposted.")
    if not user.is_reachable:
        raise NotAllowed("Your account cannot post at the moment.")


def _stored(user: User, original: Post) -> Post:
    row_id = ids.next_id()
    row = Post.objects.create(
        pk=row_id,
        author=user,
        repost_of=original,
        conversation_id=row_id,
        visibility=original.visibility,
        language=original.language,
        created_at=clock.now(),
    )
    PostCounts.objects.create(post=row)
    return row

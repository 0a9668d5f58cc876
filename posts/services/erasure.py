"""What an erased account leaves behind in posts, deleted in small steps: stopped anywhere, the next run goes on."""

from contextlib import suppress
from datetime import timedelta

import structlog
from django.db.models import Q, QuerySet

from accounts import selectors as accounts
from accounts.models import User
from posts.models import (
    Ballot,
    Bookmark,
    Engagement,
    IdempotencyKey,
    Impression,
    Notification,
    Post,
    ScheduledPost,
)
from posts.services.deletion import delete_post
from posts.services.engagements import unbookmark, unfavorite
from posts.types import EngagementKind
from xsocial.kernel import clock
from xsocial.kernel.errors import NotFound

log = structlog.get_logger(__name__)

#: For how long after an account was erased it is looked for again: as long as the feed does for page loads.
LOOKED_AFTER = timedelta(days=30)
BATCH = 2000


def erase_traces() -> int:
    """Delete what lately erased accounts wrote, saw and did; returns how many rows and posts."""
    num_deleted = 0
    for user in accounts.erased(since=clock.now() - LOOKED_AFTER):
        try:
            num_deleted += _erase(user)
        # What cannot be deleted of one account must not keep the others'; the next run tries again.
        except Exception:
            log.exception("traces not erased", user_id=user.pk)
    return num_deleted


def _erase(user: User) -> int:
    """Counted things one by one, so that counters stay exact; then the log that ranking learns from."""
    num_counted = 0
    for like in Engagement.objects.filter(user=user, kind=EngagementKind.FAVORITE).select_related("post"):
        unfavorite(user=user, post=like.post)
        num_counted += 1
    for kept in Bookmark.objects.filter(user=user).select_related("post"):
        unbookmark(user=user, post=kept.post)
        num_counted += 1
    for post in Post.objects.filter(author=user, deleted_at=None):
        with suppress(NotFound):  # a repost of a post that went just before
            delete_post(actor=user, post=post)
            num_counted += 1
    left: tuple[QuerySet, ...] = (
        Engagement.objects.filter(user=user),
        Impression.objects.filter(user=user),
        Ballot.objects.filter(voter=user),
        Notification.objects.filter(Q(recipient=user) | Q(actor=user)),
        ScheduledPost.objects.filter(author=user),
        IdempotencyKey.objects.filter(user=user),
    )
    return num_counted + sum(map(_delete, left))


def _delete(rows: QuerySet) -> int:
    num_deleted = 0
    while batch := list(rows.order_by().values_list("pk", flat=True)[:BATCH]):
        num_deleted += rows.model.objects.filter(pk__in=batch).delete()[0]
    return num_deleted

"""A person's notifications, one by one or grouped by what they are about."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import Prefetch, Q, QuerySet

from accounts.models import Block, Mute, User
from posts.models import Notification
from posts.selectors.details import detailed
from posts.selectors.visible import visible_to
from xsocial.kernel import clock
from xsocial.kernel.paging import Cursor, paged

FIRST_PAGE = Cursor()
MAX_UNREAD = 100
# Kinds that say the same of a post whoever did it.
_GROUPED = {"favourite", "reblog", "follow"}


@dataclass(frozen=True)
class NotificationGroup:
    """Notifications of one page that tell the same news, newest first."""

    notifications: list[Notification]

    @property
    def latest(self) -> Notification:
        return self.notifications[0]

    @property
    def actors(self) -> list[User]:
        return [notification.actor for notification in self.notifications]


def notifications(
    user: User, cursor: Cursor = FIRST_PAGE, *, kinds: Sequence[str] = (), exclude_kinds: Sequence[str] = ()
) -> list[Notification]:
    """One page, newest first, with actors and detailed posts.

    News of people blocked or muted since, and about posts one may no longer open, is left out.
    """
    rows = _wanted(user)
    if kinds:
        rows = rows.filter(kind__in=kinds)
    if exclude_kinds:
        rows = rows.exclude(kind__in=exclude_kinds)
    posts = Prefetch("post", detailed(user, visible_to(user)))
    return paged(rows.select_related("actor").prefetch_related(posts), cursor)


def grouped(page: Sequence[Notification]) -> list[NotificationGroup]:
    """Put likes and reposts of one post, and follows, of a page together."""
    groups: dict[tuple, list[Notification]] = {}
    for row in page:
        key = (row.kind, row.post_id) if row.kind in _GROUPED else (row.pk,)
        groups.setdefault(key, []).append(row)
    return [NotificationGroup(rows) for rows in groups.values()]


def unread_count(user: User) -> int:
    """How many unread notifications there are, counted up to MAX_UNREAD."""
    return _wanted(user).filter(read_at__isnull=True)[:MAX_UNREAD].count()


def _wanted(user: User) -> QuerySet[Notification]:
    in_force = Q(expires_at__isnull=True) | Q(expires_at__gt=clock.now())
    unwanted = [
        Block.objects.filter(blocker=user).values("blocked_id"),
        Block.objects.filter(blocked=user).values("blocker_id"),
        Mute.objects.filter(in_force, muter=user, hides_notifications=True).values("muted_id"),
    ]
    rows = Notification.objects.filter(
        Q(post__isnull=True) | Q(post__in=visible_to(user)),
        recipient=user,
        actor__is_active=True,
        actor__suspended_at__isnull=True,
        actor__deactivated_at__isnull=True,
    )
    for people in unwanted:
        rows = rows.exclude(actor_id__in=people)
    return rows

"""A person's notifications, one by one or grouped by what they are about."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import BooleanField, Prefetch, QuerySet
from django.db.models.expressions import RawSQL

from accounts.models import User
from posts.models import Notification
from posts.selectors.details import detailed
from posts.selectors.visible import showable, visible_to
from xsocial.kernel import clock, sql
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
    return paged(_with_posts(user, rows), cursor)


def notification_about(user: User, *, actor_id: int, kind: str, post_id: int | None) -> Notification | None:
    """One piece of news, unless it is among those that `notifications` leaves out."""
    rows = _wanted(user).filter(actor_id=actor_id, kind=kind, post_id=post_id)
    return _with_posts(user, rows).order_by("-pk").first()


def _with_posts(user: User, rows: QuerySet[Notification]) -> QuerySet[Notification]:
    return rows.select_related("actor").prefetch_related(Prefetch("post", detailed(user, visible_to(user))))


def grouped(page: Sequence[Notification]) -> list[NotificationGroup]:
    """Put likes and reposts of one post, and follows, of a page together."""
    groups: dict[tuple, list[Notification]] = {}
    for row in page:
        key = (row.kind, row.post_id) if row.kind in _GROUPED else (row.pk,)
        groups.setdefault(key, []).append(row)
    return [NotificationGroup(rows) for rows in groups.values()]


def unread_count(user: User, *, exclude_kinds: Sequence[str] = ()) -> int:
    """How many unread notifications there are, counted up to MAX_UNREAD."""
    unread = _wanted(user).filter(read_at__isnull=True)
    return (unread.exclude(kind__in=exclude_kinds) if exclude_kinds else unread)[:MAX_UNREAD].count()


_WANTED = """
EXISTS (SELECT 1 FROM accounts_user a WHERE a.id = actor_id
        AND a.is_active AND a.suspended_at IS NULL AND a.deactivated_at IS NULL)
AND NOT EXISTS (SELECT 1 FROM accounts_block b WHERE b.blocker_id = %(who)s AND b.blocked_id = actor_id)
AND NOT EXISTS (SELECT 1 FROM accounts_block b WHERE b.blocker_id = actor_id AND b.blocked_id = %(who)s)
AND NOT EXISTS (SELECT 1 FROM accounts_mute m WHERE m.muter_id = %(who)s AND m.muted_id = actor_id
                AND m.hides_notifications AND (m.expires_at IS NULL OR m.expires_at > %(now)s))
AND (post_id IS NULL OR coalesce(
    (SELECT true FROM posts_post p WHERE p.id = post_id AND {showable}), false))
"""


def _wanted(user: User) -> QuerySet[Notification]:
    """SQL for the same reason as the rule on posts: the side bar of every page counts these."""
    rule = _WANTED.format(showable=showable(True))
    text, values = sql.positional(rule, {"who": user.pk, "now": clock.now()})
    return Notification.objects.filter(RawSQL(f"({text})", values, BooleanField()), recipient=user)

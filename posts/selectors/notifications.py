"""A person's notifications, one by one or grouped by what they are about."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import BooleanField, Count, Prefetch, Q, QuerySet
from django.db.models.expressions import RawSQL

from accounts.models import User
from posts.models import Notification
from posts.selectors.details import detailed
from posts.selectors.visible import showable, visible_to
from xsocial.kernel import clock, ids, sql
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
    def key(self) -> str:
        """The name of the news in Mastodon's API."""
        return group_key(self.latest)

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
    groups: dict[str, list[Notification]] = {}
    for row in page:
        groups.setdefault(group_key(row), []).append(row)
    return [NotificationGroup(rows) for rows in groups.values()]


def group_key(row: Notification) -> str:
    """What notifications that tell the same news share; those that stand alone have their own."""
    if row.kind not in _GROUPED:
        return f"ungrouped-{row.pk}"
    return f"{row.kind}-{row.post_id}" if row.post_id else row.kind


def in_group(rows: QuerySet[Notification], key: str) -> QuerySet[Notification]:
    """Those of these notifications that belong to a group; none for a key that cannot be one."""
    kind, _, number = key.partition("-")
    pk = ids.parsed(number)
    if kind == "ungrouped" and pk is not None:
        return rows.filter(pk=pk)
    if kind in _GROUPED and (pk is not None or not number):
        return rows.filter(kind=kind, post_id=pk)
    return rows.none()


def group(user: User, key: str, cursor: Cursor = FIRST_PAGE) -> list[Notification]:
    """One page of the notifications of a group, newest first."""
    return paged(_with_posts(user, in_group(_wanted(user), key)), cursor)


def group_sizes(user: User, groups: Sequence[NotificationGroup]) -> dict[str, int]:
    """How many notifications each group has, those of other pages included. One query, none where each stands alone."""
    several = [each.latest for each in groups if each.latest.kind in _GROUPED]
    sizes = {each.key: 1 for each in groups}
    if several:
        rows = _wanted(user).filter(kind__in={row.kind for row in several})
        counted = rows.values("kind", "post_id").annotate(count=Count("pk")).order_by()
        wanted = counted.filter(Q(post_id=None) | Q(post_id__in={row.post_id for row in several if row.post_id}))
        for row in wanted:
            key = group_key(Notification(kind=row["kind"], post_id=row["post_id"]))
            if key in sizes:
                sizes[key] = row["count"]
    return sizes


def unread_groups(user: User, *, exclude_kinds: Sequence[str] = ()) -> int:
    """How many groups the unread notifications make, of which the newest MAX_UNREAD are looked at."""
    unread = _wanted(user).filter(read_at__isnull=True).exclude(kind__in=exclude_kinds).order_by("-pk")
    return len({group_key(row) for row in unread.only("kind", "post_id")[:MAX_UNREAD]})


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

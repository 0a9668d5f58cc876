"""News for people, stored in the transaction that makes it true."""

from collections.abc import Iterable

from django.db import transaction
from django.db.models import Q

from accounts.models import CreatorSubscription, Follow, User
from posts import events
from posts.models import Mention, Notification, Post
from posts.models.notification import NotificationKind
from posts.selectors.visible import OPEN
from posts.types import Visibility
from xsocial.kernel import clock, event_log, sql

MAX_FANOUT = 1000  # accounts that asked to hear of each post of one author


def notify(recipient_ids: Iterable[int], *, actor: User, kind: NotificationKind, post: Post | None = None) -> None:
    """Tell people once what `actor` did. Never oneself, nobody who blocked or muted the actor,
    nobody who may not open the post.
    """
    wanted = set(recipient_ids) - {actor.pk}
    if not wanted:
        return
    if post is not None:
        wanted &= _who_may_open(post, wanted)
    wanted = _willing(wanted, actor, kind, post)
    if not wanted:
        return
    now = clock.now()
    Notification.objects.bulk_create(
        Notification(recipient_id=recipient, actor=actor, kind=kind, post=post, created_at=now)
        for recipient in sorted(wanted)
    )
    event_log.publish(
        events.Notified(
            recipient_ids=tuple(sorted(wanted)),
            actor_id=actor.pk,
            kind=str(kind),
            post_id=post.pk if post else None,
            at_ms=clock.to_ms(now),
        )
    )


def withdraw(*, actor: User, kind: NotificationKind, post: Post) -> None:
    """Take back the news of something undone."""
    Notification.objects.filter(actor=actor, kind=kind, post=post).delete()


def notify_of_post(post: Post, *, parent: Post | None, quoted: Post | None, mentioned: Iterable[User]) -> None:
    """Tell everyone whom a new post concerns, each person once, by the strongest reason."""
    reasons = [
        (NotificationKind.REPLY, [parent.author_id] if parent else []),
        (NotificationKind.QUOTE, [quoted.author_id] if quoted else []),
        (NotificationKind.MENTION, [user.pk for user in mentioned]),
        (NotificationKind.NEW_POST, _listeners(post)),
    ]
    told: set[int] = set()
    for kind, recipients in reasons:
        notify(set(recipients) - told, actor=post.author, kind=kind, post=post)
        told.update(recipients)


@transaction.atomic
def mark_notifications_read(*, user: User, up_to_id: int | None = None) -> int:
    """Mark the unread ones, or those up to an id, as read; returns how many."""
    unread = Notification.objects.filter(recipient=user, read_at__isnull=True)
    if up_to_id is not None:
        unread = unread.filter(pk__lte=up_to_id)
    return unread.update(read_at=clock.now())


@transaction.atomic
def clear_notifications(*, user: User, notification_id: int | None = None) -> int:
    """Delete one notification, or all, of a person; returns how many."""
    mine = Notification.objects.filter(recipient=user)
    if notification_id is not None:
        mine = mine.filter(pk=notification_id)
    return mine.delete()[0]


def on_follow(*, follower: User, followee: User, **_: object) -> None:
    """Receiver of `accounts.events.follow_made`: runs in the follow's transaction."""
    Notification.objects.filter(recipient=followee, actor=follower, kind=NotificationKind.FOLLOW_REQUEST).delete()
    notify([followee.pk], actor=follower, kind=NotificationKind.FOLLOW)


def on_follow_request(*, follower: User, followee: User, **_: object) -> None:
    """Receiver of `accounts.events.follow_requested`."""
    notify([followee.pk], actor=follower, kind=NotificationKind.FOLLOW_REQUEST)


# Left out: a block either way, a mute in force, and who was told the same before.
_WILLING = """
SELECT p.id FROM unnest(%(people)s::bigint[]) AS p (id)
 WHERE NOT EXISTS (SELECT 1 FROM accounts_block WHERE blocked_id = %(actor)s AND blocker_id = p.id)
   AND NOT EXISTS (SELECT 1 FROM accounts_block WHERE blocker_id = %(actor)s AND blocked_id = p.id)
   AND NOT EXISTS (SELECT 1 FROM accounts_mute WHERE muter_id = p.id AND muted_id = %(actor)s
                      AND hides_notifications AND (expires_at IS NULL OR expires_at > %(now)s))
   AND NOT EXISTS (SELECT 1 FROM posts_notification WHERE recipient_id = p.id AND actor_id = %(actor)s
                      AND kind = %(kind)s AND post_id IS NOT DISTINCT FROM %(post)s::bigint)
"""


def _willing(people: set[int], actor: User, kind: NotificationKind, post: Post | None) -> set[int]:
    """Who of these shall hear of it. One query, in SQL because every like comes through here."""
    if not people:
        return people
    params = {
        "people": sql.bigints(people),
        "actor": actor.pk,
        "kind": str(kind),
        "post": post.pk if post else None,
        "now": clock.now(),
    }
    return {person for (person,) in sql.rows(_WILLING, params)}


def _who_may_open(post: Post, people: set[int]) -> set[int]:
    """Those of these people whom `visible_to` would show the post, blocks apart."""
    if post.withheld_until and post.withheld_until > clock.now():
        return people & {post.author_id}
    allowed = people
    if post.visibility not in OPEN or post.author.is_locked:
        named = Mention.objects.filter(post=post, user__in=people).values_list("user_id", flat=True)
        allowed = set(named)
        if post.visibility != Visibility.DIRECT:
            allowed |= set(
                Follow.objects.filter(followee=post.author, follower__in=people).values_list("follower_id", flat=True)
            )
        allowed |= people & {post.author_id}
    if post.subscribers_only:
        current = Q(expires_at__isnull=True) | Q(expires_at__gt=clock.now())
        paying = CreatorSubscription.objects.filter(current, author=post.author, subscriber__in=people)
        allowed = allowed & {post.author_id, *paying.values_list("subscriber_id", flat=True)}
    return allowed


def _listeners(post: Post) -> list[int]:
    """Followers who asked to hear of each post of this author; replies are no news to them."""
    if post.is_reply:
        return []
    edges = Follow.objects.filter(followee_id=post.author_id, notifies=True).order_by("-pk")
    return list(edges.values_list("follower_id", flat=True)[:MAX_FANOUT])

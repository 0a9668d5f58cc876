"""News for people, stored in the transaction that makes it true."""

from collections.abc import Iterable, Mapping

from django.db import transaction
from django.db.models import Q

from accounts.models import CreatorSubscription, Follow, User
from posts import events
from posts.models import Mention, Notification, Post
from posts.models.notification import NotificationKind
from posts.selectors.notifications import in_group
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
    about = post.pk if post else None
    willing = _willing([(person, about) for person in wanted], actor, kind)
    _store({about: sorted(person for person, _ in willing)} if willing else {}, actor, kind)


def notify_oneself(person: User, *, kind: NotificationKind, post: Post) -> None:
    """Tell somebody of what became of their own post."""
    _store({post.pk: [person.pk]}, person, kind)


def notify_authors(posts: Iterable[Post], *, actor: User, kind: NotificationKind) -> None:
    """Tell people of something about their own posts, in place of earlier news of the kind: one question for all.

    Nobody hears of it who blocked or muted the actor.
    """
    authors = {post.pk: post.author_id for post in posts}
    Notification.objects.filter(actor=actor, kind=kind, post_id__in=authors).delete()
    willing = _willing([(person, post_id) for post_id, person in authors.items() if person != actor.pk], actor, kind)
    _store({post_id: [person] for person, post_id in willing}, actor, kind)


def _store(news: Mapping[int | None, list[int]], actor: User, kind: NotificationKind) -> None:
    """News by the id of the post it is about, with who shall hear of it."""
    now = clock.now()
    sql.insert([
        Notification(recipient_id=recipient, actor=actor, kind=kind, post_id=post_id, created_at=now)
        for post_id, recipients in news.items()
        for recipient in recipients
    ])  # fmt: skip
    event_log.publish(*(
        events.Notified(
            recipient_ids=tuple(recipients),
            actor_id=actor.pk,
            kind=str(kind),
            post_id=post_id,
            at_ms=clock.to_ms(now),
        )
        for post_id, recipients in news.items()
    ))  # fmt: skip


_WITHDRAW = "DELETE FROM posts_notification WHERE actor_id = %(actor)s AND kind = %(kind)s AND post_id = %(post)s"
_ANSWERED = """
DELETE FROM posts_notification WHERE recipient_id = %(recipient)s AND actor_id = %(actor)s AND kind = %(kind)s
"""


def withdraw(*, actor: User, kind: NotificationKind, post: Post) -> None:
    """Take back the news of something undone."""
    sql.execute(_WITHDRAW, {"actor": actor.pk, "kind": str(kind), "post": post.pk})


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
def dismiss_notifications(*, user: User, key: str) -> int:
    """Delete the notifications that tell the same news, as `group_key` names it; returns how many."""
    return in_group(Notification.objects.filter(recipient=user), key).delete()[0]


@transaction.atomic
def clear_notifications(*, user: User, notification_id: int | None = None) -> int:
    """Delete one notification, or all, of a person; returns how many."""
    mine = Notification.objects.filter(recipient=user)
    if notification_id is not None:
        mine = mine.filter(pk=notification_id)
    return mine.delete()[0]


def on_follow(*, follower: User, followee: User, **_: object) -> None:
    """Receiver of `accounts.events.follow_made`: runs in the follow's transaction."""
    sql.execute(
        _ANSWERED, {"recipient": followee.pk, "actor": follower.pk, "kind": str(NotificationKind.FOLLOW_REQUEST)}
    )
    notify([followee.pk], actor=follower, kind=NotificationKind.FOLLOW)


def on_follow_request(*, follower: User, followee: User, **_: object) -> None:
    """Receiver of `accounts.events.follow_requested`."""
    notify([followee.pk], actor=follower, kind=NotificationKind.FOLLOW_REQUEST)


def on_follow_accepted(*, follower: User, followee: User, **_: object) -> None:
    """Receiver of `accounts.events.follow_accepted`. It is news each time, whatever was accepted before."""
    kind = NotificationKind.FOLLOW_ACCEPTED
    sql.execute(_ANSWERED, {"recipient": follower.pk, "actor": followee.pk, "kind": str(kind)})
    notify([follower.pk], actor=followee, kind=kind)


# Left out: a block either way, a mute in force, and who was told the same before.
_WILLING = """
SELECT p.id, p.post FROM unnest(%(people)s::bigint[], %(posts)s::bigint[]) AS p (id, post)
 WHERE NOT EXISTS (SELECT 1 FROM accounts_block WHERE blocked_id = %(actor)s AND blocker_id = p.id)
   AND NOT EXISTS (SELECT 1 FROM accounts_block WHERE blocker_id = %(actor)s AND blocked_id = p.id)
   AND NOT EXISTS (SELECT 1 FROM accounts_mute WHERE muter_id = p.id AND muted_id = %(actor)s
                      AND hides_notifications AND (expires_at IS NULL OR expires_at > %(now)s))
   AND NOT EXISTS (SELECT 1 FROM posts_notification WHERE recipient_id = p.id AND actor_id = %(actor)s
                      AND kind = %(kind)s AND post_id IS NOT DISTINCT FROM p.post)
"""


def _willing(wanted: list[tuple[int, int | None]], actor: User, kind: NotificationKind) -> list[tuple[int, int | None]]:
    """Who of these people shall hear of which post. One query, in SQL because every like comes through here."""
    if not wanted:
        return []
    posts = ",".join("NULL" if post is None else str(post) for _, post in wanted)
    params = {
        "people": sql.bigints(person for person, _ in wanted),
        "posts": f"{{{posts}}}",
        "actor": actor.pk,
        "kind": str(kind),
        "now": clock.now(),
    }
    return sql.rows(_WILLING, params)


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


_LISTENERS = """
SELECT follower_id FROM accounts_follow WHERE followee_id = %(author)s AND notifies ORDER BY id DESC LIMIT %(limit)s
"""


def _listeners(post: Post) -> list[int]:
    """Followers who asked to hear of each post of this author; replies are no news to them."""
    if post.is_reply:
        return []
    return [person for (person,) in sql.rows(_LISTENERS, {"author": post.author_id, "limit": MAX_FANOUT})]

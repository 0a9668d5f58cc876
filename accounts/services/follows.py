"""Following people: edges, requests to locked accounts, and the exact counters of both.

Each function is one transaction under the locks of both people, and may be repeated safely.
"""

from contextlib import suppress

from django.db import transaction

from accounts import events
from accounts.models import Follow, FollowRequest, User
from accounts.services.locks import lock_pair
from accounts.types import FollowState
from xsocial.kernel import clock, event_log, sql
from xsocial.kernel.errors import NotAllowed, NotFound

_FOLLOWS = "SELECT 1 FROM accounts_follow WHERE follower_id = %(follower)s AND followee_id = %(followee)s"
_UNREQUEST = "DELETE FROM accounts_followrequest WHERE requester_id = %(follower)s AND target_id = %(followee)s"
_BLOCKED = """
SELECT 1 FROM accounts_block
 WHERE (blocker_id = %(person)s AND blocked_id = %(other)s) OR (blocker_id = %(other)s AND blocked_id = %(person)s)
"""
_COUNT = """
UPDATE accounts_user
   SET following_count = following_count + CASE id WHEN %(follower)s THEN %(by)s ELSE 0 END,
       followers_count = followers_count + CASE id WHEN %(followee)s THEN %(by)s ELSE 0 END
 WHERE id IN (%(follower)s, %(followee)s)
"""


def _pair(follower: User, followee: User) -> dict[str, int]:
    return {"follower": follower.pk, "followee": followee.pk}


@transaction.atomic
def follow(
    *,
    follower: User,
    followee: User,
    shows_reposts: bool | None = None,
    notifies: bool | None = None,
) -> FollowState:
    """Follow an account, or ask a locked one. Repeating it only changes the options given.

    Raises NotFound for an unreachable account and NotAllowed across a block.
    """
    follower, followee = lock_pair(follower, followee)
    check_may_approach(follower, followee)
    given = {"shows_reposts": shows_reposts, "notifies": notifies}
    options = {name: value for name, value in given.items() if value is not None}
    if sql.row(_FOLLOWS, _pair(follower, followee)):
        if options:
            Follow.objects.filter(follower=follower, followee=followee).update(**options)
        return FollowState.FOLLOWING
    if followee.is_locked:
        return _request(follower, followee)
    sql.execute(_UNREQUEST, _pair(follower, followee))
    connect(follower, followee, **options)
    return FollowState.FOLLOWING


@transaction.atomic
def unfollow(*, follower: User, followee: User) -> None:
    """Stop following, or withdraw the request."""
    follower, followee = lock_pair(follower, followee)
    sql.execute(_UNREQUEST, _pair(follower, followee))
    disconnect(follower, followee)


@transaction.atomic
def remove_follower(*, user: User, follower: User) -> None:
    """Make `follower` stop following `user`, without a block."""
    user, follower = lock_pair(user, follower)
    disconnect(follower, user)


@transaction.atomic
def accept_follow(*, target: User, requester: User) -> None:
    """Let a requester follow. Raises NotFound when there is no such request."""
    target, requester = lock_pair(target, requester)
    _take_request(target, requester)
    connect(requester, target)
    events.follow_accepted.send(sender=FollowRequest, follower=requester, followee=target)


def accept_waiting(*, target: User) -> None:
    """Let in all who wait, each on their own: their locks are taken in an order that differs from pair to pair."""
    for request in FollowRequest.objects.filter(target=target).select_related("requester"):
        with suppress(NotFound):  # withdrawn meanwhile
            accept_follow(target=target, requester=request.requester)


@transaction.atomic
def reject_follow(*, target: User, requester: User) -> None:
    """Turn a request down silently. Raises NotFound when there is none."""
    target, requester = lock_pair(target, requester)
    _take_request(target, requester)


def connect(follower: User, followee: User, **options: bool) -> None:
    """Create the edge. Call it under both locks, when there is none yet."""
    sql.insert([Follow(follower=follower, followee=followee, **options)])
    sql.execute(_COUNT, {**_pair(follower, followee), "by": 1})
    event_log.publish(events.Followed(follower_id=follower.pk, followee_id=followee.pk, at_ms=clock.now_ms()))
    events.follow_made.send(sender=Follow, follower=follower, followee=followee)


def disconnect(follower: User, followee: User) -> bool:
    """Delete the edge under both locks. Says whether there was one."""
    deleted, _ = Follow.objects.filter(follower=follower, followee=followee).delete()
    if not deleted:
        return False
    sql.execute(_COUNT, {**_pair(follower, followee), "by": -1})
    event_log.publish(events.Unfollowed(follower_id=follower.pk, followee_id=followee.pk, at_ms=clock.now_ms()))
    return True


def _request(requester: User, target: User) -> FollowState:
    _, is_new = FollowRequest.objects.get_or_create(requester=requester, target=target)
    if is_new:
        event_log.publish(events.FollowRequested(requester_id=requester.pk, target_id=target.pk, at_ms=clock.now_ms()))
        events.follow_requested.send(sender=FollowRequest, follower=requester, followee=target)
    return FollowState.REQUESTED


def _take_request(target: User, requester: User) -> None:
    deleted, _ = FollowRequest.objects.filter(requester=requester, target=target).delete()
    if not deleted:
        raise NotFound("There is no such follow request.")


def check_may_approach(person: User, other: User) -> None:
    """Raise NotFound when the other account is not shown at all, NotAllowed across a block."""
    if not other.is_reachable:
        raise NotFound("This account is not available.")
    if sql.row(_BLOCKED, {"person": person.pk, "other": other.pk}):
        raise NotAllowed("One of you has blocked the other.")

"""Blocking: neither sees the other, and no follow survives it."""

from django.db import transaction
from django.db.models import Q

from accounts import events
from accounts.models import Block, FollowRequest, User
from accounts.services.follows import disconnect
from accounts.services.locks import lock_pair
from xsocial.kernel import clock, event_log


@transaction.atomic
def block(*, blocker: User, blocked: User) -> None:
    """Block an account; follows and requests end both ways in the same transaction."""
    blocker, blocked = lock_pair(blocker, blocked)
    _, is_new = Block.objects.get_or_create(blocker=blocker, blocked=blocked)
    if not is_new:
        return
    FollowRequest.objects.filter(Q(requester=blocker, target=blocked) | Q(requester=blocked, target=blocker)).delete()
    disconnect(blocker, blocked)
    disconnect(blocked, blocker)
    event_log.publish(events.Blocked(blocker_id=blocker.pk, blocked_id=blocked.pk, at_ms=clock.now_ms()))


@transaction.atomic
def unblock(*, blocker: User, blocked: User) -> None:
    """Lift a block. What it ended stays ended."""
    deleted, _ = Block.objects.filter(blocker=blocker, blocked=blocked).delete()
    if deleted:
        event_log.publish(events.Unblocked(blocker_id=blocker.pk, blocked_id=blocked.pk, at_ms=clock.now_ms()))

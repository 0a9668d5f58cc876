"""Topics, starter packs and creator subscriptions: what a person asks to see."""

from datetime import datetime

from django.db import transaction

from accounts.models import (
    CreatorSubscription,
    FollowedTopic,
    StarterPack,
    StarterPackFollow,
    Topic,
    User,
)
from accounts.services.follows import check_may_approach, follow
from accounts.services.locks import lock_pair, lock_users
from accounts.services.preferences import announce_change
from xsocial.kernel import clock
from xsocial.kernel.errors import Invalid, NotAllowed, NotFound

MAX_PACK_MEMBERS = 150


@transaction.atomic
def follow_topic(*, user: User, topic: Topic) -> None:
    """Ask for posts about a topic; ends a snooze of it."""
    _set_topic(user, topic, is_snoozed=False)


@transaction.atomic
def snooze_topic(*, user: User, topic: Topic) -> None:
    """Keep posts about a topic out of For You."""
    _set_topic(user, topic, is_snoozed=True)


@transaction.atomic
def unfollow_topic(*, user: User, topic: Topic) -> None:
    """Have no wish about a topic: neither followed nor snoozed."""
    FollowedTopic.objects.filter(user=user, topic=topic).delete()
    announce_change(user)


@transaction.atomic
def follow_starter_pack(*, user: User, pack: StarterPack) -> int:
    """Follow every member that can be followed; returns how many were followed or asked."""
    members = list(pack.members.exclude(pk=user.pk).order_by("pk")[:MAX_PACK_MEMBERS])
    # All locks at once and in order; the calls below take the same ones again.
    lock_users({user.pk, *(member.pk for member in members)})
    StarterPackFollow.objects.get_or_create(user=user, pack=pack)
    followed = sum(_follow_if_possible(user, member) for member in members)
    announce_change(user)
    return followed


@transaction.atomic
def unfollow_starter_pack(*, user: User, pack: StarterPack) -> None:
    """Forget the pack; the people stay followed."""
    StarterPackFollow.objects.filter(user=user, pack=pack).delete()
    announce_change(user)


@transaction.atomic
def subscribe(*, subscriber: User, author: User, expires_at: datetime | None = None) -> CreatorSubscription:
    """Give access to an author's subscriber-only posts. Payment, if any, was settled by the caller.

    Raises NotAllowed for an author who offers no subscriptions and across a block, NotFound for
    an unreachable account.
    """
    if expires_at is not None and expires_at <= clock.now():
        raise Invalid("The end must lie in the future.", extra={"field": "expires_at"})
    subscriber, author = lock_pair(subscriber, author)
    check_may_approach(subscriber, author)
    if not author.offers_subscriptions:
        raise NotAllowed("This account offers no subscriptions.")
    subscription, _ = CreatorSubscription.objects.update_or_create(
        subscriber=subscriber, author=author, defaults={"expires_at": expires_at}
    )
    announce_change(subscriber)
    return subscription


@transaction.atomic
def unsubscribe(*, subscriber: User, author: User) -> None:
    """End the access at once; without a subscription nothing happens."""
    CreatorSubscription.objects.filter(subscriber=subscriber, author=author).delete()
    announce_change(subscriber)


def _set_topic(user: User, topic: Topic, *, is_snoozed: bool) -> None:
    FollowedTopic.objects.update_or_create(user=user, topic=topic, defaults={"is_snoozed": is_snoozed})
    announce_change(user)


def _follow_if_possible(user: User, member: User) -> bool:
    try:
        follow(follower=user, followee=member)
    except (NotAllowed, NotFound):
        return False
    return True

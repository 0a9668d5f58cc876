"""Leaving, returning and being suspended. An unreachable account's posts are shown to nobody."""

from datetime import datetime, timedelta

import structlog
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.conf import settings
from django.db import transaction
from oauth2_provider.models import get_access_token_model, get_grant_model, get_refresh_token_model

from accounts import events
from accounts.models import (
    Block,
    CreatorSubscription,
    FeedPreferences,
    Follow,
    FollowedTopic,
    FollowRequest,
    Mute,
    MutedKeyword,
    PeopleList,
    StarterPackFollow,
    User,
)
from accounts.services.follows import disconnect
from accounts.services.locks import lock_users
from accounts.services.profile import delete_on_commit
from xsocial.kernel import clock, event_log
from xsocial.kernel.errors import Conflict, NotFound

#: What only its owner knows, by the column that names them.
_WISHES = {
    Block: "blocker",
    CreatorSubscription: "subscriber",
    FeedPreferences: "user",
    FollowedTopic: "user",
    Mute: "muter",
    MutedKeyword: "user",
    PeopleList: "owner",
    StarterPackFollow: "user",
}
log = structlog.get_logger(__name__)


@transaction.atomic
def deactivate_account(*, user: User) -> None:
    """Hide the account until its owner comes back."""
    _set(user, deactivated_at=clock.now())


@transaction.atomic
def reactivate_account(*, user: User) -> None:
    """Show the account again: ends a pause, and takes a closing back."""
    _set(user, deactivated_at=None, closes_at=None)


@transaction.atomic
def close_account(*, user: User) -> datetime:
    """Hide the account, sign it out everywhere, and erase it later; returns when, for a notice to its owner.

    Until then signing in goes on as before, and `reactivate_account` takes it back.
    """
    closes_at = clock.now() + timedelta(days=settings.ACCOUNT_GRACE_DAYS)
    sign_out_apps(user=user)
    sign_out_browsers(user=user)
    _set(user, deactivated_at=clock.now(), closes_at=closes_at)
    return closes_at


@transaction.atomic
def hasten_closing(*, user: User) -> None:
    """Have a closing account erased the next time that is looked after. Raises Conflict if it is not closing."""
    if not User.objects.filter(pk=user.pk, closes_at__isnull=False).update(closes_at=clock.now()):
        raise Conflict("This account is not being closed.")


def erase_due() -> int:
    """Erase the accounts whose time has come; returns how many."""
    now, erased = clock.now(), 0
    for user in User.objects.filter(closes_at__lte=now):
        try:
            erased += delete_account(user=user, due_by=now)
        # One account that cannot be erased must not keep the others.
        except Exception:
            log.exception("account not erased", user_id=user.pk)
    return erased


@transaction.atomic
def suspend_account(*, user: User) -> None:
    """Hide the account by order of a moderator; its owner cannot lift this."""
    _set(user, suspended_at=clock.now())


@transaction.atomic
def unsuspend_account(*, user: User) -> None:
    _set(user, suspended_at=None)


@transaction.atomic
def delete_account(*, user: User, due_by: datetime | None = None) -> bool:
    """Close the account for good: log-in, profile, graph and wishes go now, and its posts are hidden.

    The row stays, so that threads keep their shape and the handle is not given to a stranger. What
    the apps above keep goes soon after: they look for `erased_at`. With
    `due_by` only if it is to close by then: its owner may have come back. Returns whether it was done.
    """
    edges = Follow.objects.filter(follower=user) | Follow.objects.filter(followee=user)
    pairs = list(edges.values_list("follower_id", "followee_id"))
    people = lock_users({user.pk, *(end for pair in pairs for end in pair)})
    closed = people[user.pk]
    if due_by and (closed.closes_at is None or closed.closes_at > due_by):
        return False
    for follower_id, followee_id in pairs:
        disconnect(people[follower_id], people[followee_id])
    FollowRequest.objects.filter(requester=user).delete()
    FollowRequest.objects.filter(target=user).delete()
    for model, owner in _WISHES.items():
        model.objects.filter(**{owner: user}).delete()
    Authenticator.objects.filter(user=user).delete()
    # Else the address could never be used again.
    EmailAddress.objects.filter(user=user).delete()
    for picture in (closed.avatar, closed.header):
        if picture:
            delete_on_commit(picture)
    closed.set_unusable_password()
    sign_out_apps(user=closed)
    sign_out_browsers(user=closed)
    _set(
        closed,
        password=closed.password,
        is_active=False,
        deactivated_at=clock.now(),
        closes_at=None,
        erased_at=clock.now(),
        email="",
        display_name="",
        bio="",
        website="",
        location="",
        avatar="",
        header="",
        language=User._meta.get_field("language").default,
        country_code="",
        time_zone=User._meta.get_field("time_zone").default,
        birth_year=None,
        gender="",
    )
    return True


@transaction.atomic
def sign_out_apps(*, user: User, application_id: int | None = None) -> None:
    """Take back what every app, or one, may do for this person."""
    which = {"user": user} if application_id is None else {"user": user, "application_id": application_id}
    for model in (get_grant_model(), get_refresh_token_model(), get_access_token_model()):
        model.objects.filter(**which).delete()


@transaction.atomic
def sign_out_browsers(*, user: User, but: str | None = None) -> None:
    """End this person's sessions, except the one with this key."""
    for session in UserSession.objects.filter(user=user).exclude(session_key=but or ""):
        session.end()


def _set(user: User, **values: object) -> None:
    if not User.objects.filter(pk=user.pk).update(**values):
        raise NotFound("This account no longer exists.")
    stored = User.objects.get(pk=user.pk)
    event_log.publish(
        events.ReachabilityChanged(user_id=stored.pk, is_reachable=stored.is_reachable, at_ms=clock.now_ms())
    )

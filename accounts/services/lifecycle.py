"""Leaving, returning and being suspended. An unreachable account's posts are shown to nobody."""

from allauth.account.models import EmailAddress
from allauth.usersessions.models import UserSession
from django.db import transaction
from oauth2_provider.models import get_access_token_model, get_grant_model, get_refresh_token_model

from accounts import events
from accounts.models import Follow, FollowRequest, PeopleList, User
from accounts.services.follows import disconnect
from accounts.services.locks import lock_users
from accounts.services.profile import delete_on_commit
from xsocial.kernel import clock, event_log
from xsocial.kernel.errors import NotFound


@transaction.atomic
def deactivate_account(*, user: User) -> None:
    """Hide the account until its owner comes back."""
    _set(user, deactivated_at=clock.now())


@transaction.atomic
def reactivate_account(*, user: User) -> None:
    _set(user, deactivated_at=None)


@transaction.atomic
def suspend_account(*, user: User) -> None:
    """Hide the account by order of a moderator; its owner cannot lift this."""
    _set(user, suspended_at=clock.now())


@transaction.atomic
def unsuspend_account(*, user: User) -> None:
    _set(user, suspended_at=None)


@transaction.atomic
def delete_account(*, user: User) -> None:
    """Close the account for good: log-in, profile and graph go now, and its posts are hidden.

    The row stays, so that threads keep their shape and the handle is not given to a stranger.
    """
    edges = Follow.objects.filter(follower=user) | Follow.objects.filter(followee=user)
    pairs = list(edges.values_list("follower_id", "followee_id"))
    people = lock_users({user.pk, *(end for pair in pairs for end in pair)})
    for follower_id, followee_id in pairs:
        disconnect(people[follower_id], people[followee_id])
    FollowRequest.objects.filter(requester=user).delete()
    FollowRequest.objects.filter(target=user).delete()
    PeopleList.objects.filter(owner=user).delete()
    # Else the address could never be used again.
    EmailAddress.objects.filter(user=user).delete()
    closed = people[user.pk]
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
        email="",
        display_name="",
        bio="",
        website="",
        location="",
        avatar="",
        header="",
        birth_year=None,
        gender="",
    )


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

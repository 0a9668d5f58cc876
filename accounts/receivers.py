"""What follows when allauth says that something happened to an account."""

from axes.utils import reset
from django.http import HttpRequest

from accounts import services
from accounts.models import User


def start_afresh(sender: type[User], user: User, **_: object) -> None:
    """Whoever proved by mail to be the owner may sign in at once, and no app of a stranger stays signed in."""
    reset(username=user.username)
    services.sign_out_apps(user=user)
    services.sign_out_browsers(user=user)


def end_other_sessions(sender: type[User], request: HttpRequest, user: User, **_: object) -> None:
    """With the old password they are good for nothing; so they leave the list, and their open pages close."""
    services.sign_out_browsers(user=user, but=request.session.session_key)

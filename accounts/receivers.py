"""What follows when allauth says that something happened to an account."""

from axes.utils import reset

from accounts import services
from accounts.models import User


def start_afresh(sender: type[User], user: User, **_: object) -> None:
    """Whoever proved by mail to be the owner may sign in at once, and no app of a stranger stays signed in."""
    reset(username=user.username)
    services.sign_out_apps(user=user)

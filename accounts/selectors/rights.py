"""Rights over what belongs to others, asked for in the same way on every page, in the API and by every service."""

from allauth.mfa.utils import is_mfa_enabled
from django.conf import settings
from django.contrib.auth.models import AnonymousUser

from accounts.models import User


def has_right(user: User | AnonymousUser, permission: str) -> bool:
    """Whether somebody may use a right of staff, such as "posts.delete_post".

    They have the permission, are staff, and have a second factor where the site requires one.
    """
    return user.is_staff and user.has_perm(permission) and not lacks_second_factor(user)


def lacks_second_factor(user: User | AnonymousUser) -> bool:
    """Whether a member of staff has yet to set one up. One query, for staff alone."""
    return settings.STAFF_SECOND_FACTOR_REQUIRED and user.is_staff and not is_mfa_enabled(user)

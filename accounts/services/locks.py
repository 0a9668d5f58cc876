"""Row locks on people, always taken in id order so that two services never wait for each other."""

from accounts.models import User
from xsocial.kernel.errors import Invalid, NotFound


def lock_users(user_ids: set[int]) -> dict[int, User]:
    """Lock the rows that carry the counters and return them fresh, by id.

    FOR NO KEY UPDATE: rows that merely refer to these people can still be written meanwhile.
    """
    rows = User.objects.select_for_update(no_key=True).filter(pk__in=user_ids).order_by("pk")
    return {user.pk: user for user in rows}


def lock_pair(first: User, second: User) -> tuple[User, User]:
    """Lock two different people. Raises Invalid for a pair of one, NotFound for a lost account."""
    if first.pk == second.pk:
        raise Invalid("You cannot do this to yourself.")
    locked = lock_users({first.pk, second.pk})
    if len(locked) < 2:
        raise NotFound("This account no longer exists.")
    return locked[first.pk], locked[second.pk]

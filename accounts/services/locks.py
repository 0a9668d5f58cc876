"""Row locks on people, always taken in id order so that two services never wait for each other."""

from accounts.models import User
from xsocial.kernel import sql
from xsocial.kernel.errors import Invalid, NotFound

# FOR NO KEY UPDATE: rows that merely refer to these people can still be written meanwhile.
_LOCK = f"""
SELECT {sql.columns(User, "u")} FROM accounts_user u WHERE id = ANY(%(ids)s::bigint[]) ORDER BY id FOR NO KEY UPDATE
"""


def lock_users(user_ids: set[int]) -> dict[int, User]:
    """Lock the rows that carry the counters and return them fresh, by id."""
    people = [sql.made(User, row) for row in sql.rows(_LOCK, {"ids": sql.bigints(user_ids)})]
    return {user.pk: user for user in people}


def lock_pair(first: User, second: User) -> tuple[User, User]:
    """Lock two different people. Raises Invalid for a pair of one, NotFound for a lost account."""
    if first.pk == second.pk:
        raise Invalid("You cannot do this to yourself.")
    locked = lock_users({first.pk, second.pk})
    if len(locked) < 2:
        raise NotFound("This account no longer exists.")
    return locked[first.pk], locked[second.pk]

"""Recognising a repeated creation by the key its client sent."""

import hashlib
import json
from datetime import timedelta
from typing import Any

from accounts.models import User
from posts.models import IdempotencyKey
from xsocial.kernel import clock, sql
from xsocial.kernel.errors import Conflict, Invalid

KEY_MAX_LENGTH = 128
KEPT_FOR = timedelta(hours=24)

_CLAIM = """
INSERT INTO posts_idempotencykey (user_id, key, fingerprint, object_id, created_at)
VALUES (%(user)s, %(key)s, %(fingerprint)s, %(object)s, %(now)s) ON CONFLICT DO NOTHING
"""


def claim(user: User, key: str, content: dict[str, Any], object_id: int) -> int:
    """Reserve the key for `object_id`, inside the transaction that creates the object.

    Returns `object_id`, or the id that an earlier request with this key and content created.
    Raises Conflict when the key was used for other content. A concurrent request with the same
    key waits here until the first has committed or failed.
    """
    if len(key) > KEY_MAX_LENGTH:
        raise Invalid(f"The idempotency key has at most {KEY_MAX_LENGTH} characters.")
    fingerprint = _fingerprint(content)
    asked = {"user": user.pk, "key": key, "fingerprint": fingerprint, "object": object_id, "now": clock.now()}
    if sql.execute(_CLAIM, asked):
        return object_id
    first = IdempotencyKey.objects.get(user=user, key=key)
    if first.fingerprint != fingerprint:
        raise Conflict("This idempotency key was used for another post.")
    return first.object_id


def delete_old_keys() -> int:
    """Forget keys that no client repeats any more; returns how many."""
    return IdempotencyKey.objects.filter(created_at__lt=clock.now() - KEPT_FOR).delete()[0]


def _fingerprint(content: dict[str, Any]) -> str:
    canonical = json.dumps(content, sort_keys=True, ensure_ascii=True)
    return hashlib.sha256(canonical.encode()).hexdigest()

"""Clean-up that runs on a schedule. Each task may be run twice, or be killed, without harm."""

from celery import shared_task

from accounts import services as accounts
from posts.services.idempotency import delete_old_keys
from posts.services.media import delete_stale_media


@shared_task(name="posts.tasks.purge_media")
def purge_media() -> int:
    """Delete files and rows of attachments that no post shows; returns how many."""
    return delete_stale_media()


@shared_task(name="posts.tasks.purge_idempotency_keys")
def purge_idempotency_keys() -> int:
    """Forget old idempotency keys; returns how many."""
    return delete_old_keys()


@shared_task(name="posts.tasks.purge_expired_mutes")
def purge_expired_mutes() -> int:
    """Delete mutes and muted words that have ended; returns how many."""
    return accounts.delete_expired_mutes()


#: What beat starts; times in seconds.
BEAT = {
    "purge-media": {"task": "posts.tasks.purge_media", "schedule": 300.0},
    "purge-idempotency-keys": {"task": "posts.tasks.purge_idempotency_keys", "schedule": 3600.0},
    "purge-expired-mutes": {"task": "posts.tasks.purge_expired_mutes", "schedule": 3600.0},
}

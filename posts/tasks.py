"""What runs on a schedule: posts for later, and clean-up. Each task may be run twice, or be killed, without harm."""

from celery import shared_task

from accounts import services as accounts
from posts import services
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


@shared_task(name="posts.tasks.erase_closed_accounts")
def erase_closed_accounts() -> int:
    """Erase accounts whose owners closed them and did not come back, and what they left; returns how many."""
    num_erased = accounts.erase_due()
    services.erase_traces()
    return num_erased


@shared_task(name="posts.tasks.publish_due")
def publish_due() -> int:
    """Publish posts whose time has come; returns how many."""
    return services.publish_due()


@shared_task(name="posts.tasks.close_polls")
def close_polls() -> int:
    """Tell people of polls that have ended; returns how many polls."""
    return services.close_ended()


#: What beat starts; times in seconds.
BEAT = {
    "publish-due": {"task": "posts.tasks.publish_due", "schedule": 10.0},
    "close-polls": {"task": "posts.tasks.close_polls", "schedule": 30.0},
    "purge-media": {"task": "posts.tasks.purge_media", "schedule": 300.0},
    "purge-idempotency-keys": {"task": "posts.tasks.purge_idempotency_keys", "schedule": 3600.0},
    "erase-closed-accounts": {"task": "posts.tasks.erase_closed_accounts", "schedule": 600.0},
    "purge-expired-mutes": {"task": "posts.tasks.purge_expired_mutes", "schedule": 3600.0},
}

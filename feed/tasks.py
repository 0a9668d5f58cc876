"""Housekeeping of the feed."""

from datetime import timedelta

from celery import shared_task

from feed.models import ServedHistory
from feed.receipts import store
from xsocial.kernel import clock

HISTORY_KEPT = timedelta(days=30)


@shared_task(name="feed.tasks.expire_receipts")
def expire_receipts() -> int:
    """Delete receipts older than 30 days; returns how many."""
    return store.expire()


@shared_task(name="feed.tasks.expire_served_history")
def expire_served_history() -> int:
    """Delete page records older than 30 days; returns how many."""
    return ServedHistory.objects.filter(served_at__lt=clock.now() - HISTORY_KEPT).delete()[0]


#: What beat starts; times in seconds.
BEAT = {
    "expire-receipts": {"task": "feed.tasks.expire_receipts", "schedule": 3600.0},
    "expire-served-history": {"task": "feed.tasks.expire_served_history", "schedule": 3600.0},
}

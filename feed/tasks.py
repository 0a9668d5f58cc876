"""Housekeeping of the feed."""

from datetime import timedelta

from celery import shared_task

from feed.models import ServedHistory
from feed.receipts import partitions
from xsocial.kernel import clock

HISTORY_KEPT = timedelta(days=30)


@shared_task(name="feed.tasks.turn_receipt_days")
def turn_receipt_days() -> int:
    """Make the coming days' partitions of receipts, drop those past 30 days; returns how many were dropped."""
    partitions.make_ahead()
    return len(partitions.drop_expired())


@shared_task(name="feed.tasks.expire_served_history")
def expire_served_history() -> int:
    """Delete page records older than 30 days; returns how many."""
    return ServedHistory.objects.filter(served_at__lt=clock.now() - HISTORY_KEPT).delete()[0]


#: What beat starts; times in seconds.
BEAT = {
    "turn-receipt-days": {"task": "feed.tasks.turn_receipt_days", "schedule": 3600.0},
    "expire-served-history": {"task": "feed.tasks.expire_served_history", "schedule": 3600.0},
}

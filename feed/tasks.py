"""Housekeeping of the feed."""

from datetime import timedelta

from celery import shared_task

from accounts import selectors as accounts
from ads.models import HiddenAdvertiser
from feed.home_mixer import communities, interests, minhash, popular, semantic_ids
from feed.models import FeedTuning, Receipt, ServedHistory
from feed.reach import count
from feed.receipts import partitions
from feed.signals import standing
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


@shared_task(name="feed.tasks.forget_erased")
def forget_erased() -> int:
    """Delete page loads, tunings and advertisers hidden of people erased lately; returns how many rows."""
    gone = accounts.erased(since=clock.now() - HISTORY_KEPT)
    left = (
        Receipt.objects.filter(viewer__in=gone),
        ServedHistory.objects.filter(user__in=gone),
        FeedTuning.objects.filter(user__in=gone),
        HiddenAdvertiser.objects.filter(viewer__in=gone),
    )
    return sum(rows.delete()[0] for rows in left)


@shared_task(name="feed.tasks.count_popular")
def count_popular() -> int:
    """Count what many like now; returns how many posts were kept."""
    return popular.count()


@shared_task(name="feed.tasks.find_communities")
def find_communities() -> int:
    """Group accounts by their followers and posts by who engaged; returns how many posts belong somewhere."""
    return communities.rebuild()


@shared_task(name="feed.tasks.code_posts")
def code_posts() -> int:
    """Semantic ids of new posts; returns how many were coded."""
    return semantic_ids.code_posts(now_ms=clock.now_ms())


@shared_task(name="feed.tasks.refit_codebook")
def refit_codebook() -> int:
    """Fit the quantiser to what is said now; returns to how many posts."""
    book = semantic_ids.refit(now_ms=clock.now_ms())
    return book.posts if book else 0


@shared_task(name="feed.tasks.sign_mutual_follows")
def sign_mutual_follows() -> int:
    """MinHash of everybody's mutual follows; returns for how many people."""
    return minhash.rebuild()


@shared_task(name="feed.tasks.infer_topics")
def infer_topics() -> int:
    """Topics people seem to like; returns for how many people."""
    return interests.rebuild()


@shared_task(name="feed.tasks.weigh_signals")
def weigh_signals() -> int:
    """Weigh everybody's noes anew; returns how many authors are recommended less for them."""
    return standing.weigh()


@shared_task(name="feed.tasks.count_reach")
def count_reach() -> int:
    """Count how far authors' posts came, today and yesterday; returns how many rows were written."""
    return count.count_days()


#: What beat starts; times in seconds.
BEAT = {
    "count-reach": {"task": "feed.tasks.count_reach", "schedule": 6 * 3600.0},
    "count-popular": {"task": "feed.tasks.count_popular", "schedule": 120.0},
    "weigh-signals": {"task": "feed.tasks.weigh_signals", "schedule": 3600.0},
    "turn-receipt-days": {"task": "feed.tasks.turn_receipt_days", "schedule": 3600.0},
    "find-communities": {"task": "feed.tasks.find_communities", "schedule": 1800.0},
    "code-posts": {"task": "feed.tasks.code_posts", "schedule": 60.0},
    "refit-codebook": {"task": "feed.tasks.refit_codebook", "schedule": 7 * 86_400.0},
    "sign-mutual-follows": {"task": "feed.tasks.sign_mutual_follows", "schedule": 86_400.0},
    "infer-topics": {"task": "feed.tasks.infer_topics", "schedule": 86_400.0},
    "forget-erased": {"task": "feed.tasks.forget_erased", "schedule": 3600.0},
    "expire-served-history": {"task": "feed.tasks.expire_served_history", "schedule": 3600.0},
}

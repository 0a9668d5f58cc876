"""What people saw, in batches from the browser."""

import math
from collections.abc import Sequence

from django.db import transaction
from django.db.models import F

from accounts.models import User
from posts import events
from posts.models import Impression, Post, PostCounts
from posts.selectors.visible import visible_to
from posts.services import counters
from posts.types import SeenPost, Surface
from xsocial.kernel import clock, event_log
from xsocial.kernel.errors import Invalid

MAX_BATCH = 200
_MAX_POSITION = 32_767
_MAX_SECONDS = 24 * 3600.0


@transaction.atomic
def record_impressions(*, user: User, impressions: Sequence[SeenPost]) -> int:
    """Log posts as seen, each once per page load; returns how many were new.

    Forged and hidden ids are passed over in silence: the batch of an honest browser may hold
    posts that vanished meanwhile. A repost counts for its original. Raises Invalid for a batch
    that no browser would send.
    """
    _check(impressions)
    seen = _once_per_load(user, _resolved(user, impressions))
    if not seen:
        return 0
    now = clock.now()
    Impression.objects.bulk_create(
        Impression(
            user=user,
            post_id=post.pk,
            author_id=post.author_id,
            surface=item.surface,
            position=item.position,
            request_id=item.request_id,
            seconds=item.seconds,
            propensity=item.propensity,
            created_at=now,
        )
        for post, item in seen
    )
    _count_views({post.pk for post, _ in seen if post.author_id != user.pk})
    post_ids = tuple(post.pk for post, _ in seen)
    event_log.publish(events.ImpressionsRecorded(user_id=user.pk, post_ids=post_ids, at_ms=clock.to_ms(now)))
    return len(seen)


def _check(impressions: Sequence[SeenPost]) -> None:
    if len(impressions) > MAX_BATCH:
        raise Invalid(f"At most {MAX_BATCH} impressions at once.")
    surfaces = set(Surface)
    for item in impressions:
        is_sound = (
            item.surface in surfaces
            and (item.position is None or 0 <= item.position <= _MAX_POSITION)
            and (item.seconds is None or (math.isfinite(item.seconds) and 0 <= item.seconds <= _MAX_SECONDS))
            and (item.propensity is None or 0 < item.propensity <= 1)
        )
        if not is_sound:
            raise Invalid("An impression is out of range.", extra={"post_id": str(item.post_id)})


def _resolved(user: User, impressions: Sequence[SeenPost]) -> list[tuple[Post, SeenPost]]:
    """The originals that this person may open, in the order given."""
    wanted = {item.post_id for item in impressions if 0 < item.post_id < 2**63}
    posts = visible_to(user).filter(pk__in=wanted).select_related("repost_of")
    originals = {post.pk: post.repost_of or post for post in posts}
    return [(originals[item.post_id], item) for item in impressions if item.post_id in originals]


def _once_per_load(user: User, seen: list[tuple[Post, SeenPost]]) -> list[tuple[Post, SeenPost]]:
    first = {(post.pk, item.request_id): (post, item) for post, item in reversed(seen)}
    loads = {request_id for _, request_id in first if request_id is not None}
    known = Impression.objects.filter(user=user, request_id__in=loads, post_id__in={pk for pk, _ in first})
    recorded = set(known.values_list("post_id", "request_id")) if loads else set()
    return [pair for key, pair in reversed(first.items()) if key not in recorded]


def _count_views(post_ids: set[int]) -> None:
    counters.lock_posts(post_ids)
    PostCounts.objects.filter(pk__in=post_ids).update(views=F("views") + 1)

"""Posts for later: kept as drafts, published when they are due, each exactly once.

A draft becomes a post in the transaction that deletes it, under the lock of its row: a worker that
dies in between leaves the draft, and two workers never publish the same.
"""

from datetime import datetime, timedelta
from typing import Any

import structlog
from django.db import transaction

from accounts.models import User
from posts.models import Media, ScheduledPost
from posts.services import idempotency
from posts.services.creation import Draft, check_draft, claimed_media, draft_of, locked_context, publish
from posts.types import PollDraft, Surface, Visibility
from xsocial.kernel import clock, ids, plaintext
from xsocial.kernel.errors import ApplicationError, Conflict, Invalid, NotFound

SOONEST = timedelta(minutes=5)
LATEST = timedelta(days=5 * 365)
MAX_SCHEDULED = 300
PUBLISH_BATCH = 200

log = structlog.get_logger(__name__)


@transaction.atomic
def schedule_post(*, author: User, at: datetime, idempotency_key: str = "", **content: Any) -> ScheduledPost:
    """Keep a post for later. `content` is what `create_post` takes, with the same refusals.

    Raises Invalid for a time that is too near or too far, and for more than `MAX_SCHEDULED` of them.
    """
    draft = draft_of(author=author, **content)
    _check_time(at)
    row = ScheduledPost(author=author, due_at=at, draft=draft.content(), application=draft.application)
    if idempotency_key:
        asked = {**draft.content(), "due_at": at.isoformat()}
        first_id = idempotency.claim(author, idempotency_key, asked, row.pk)
        if first_id != row.pk:
            return _first(author, first_id)
    if ScheduledPost.objects.filter(author=author).count() >= MAX_SCHEDULED:
        raise Invalid(f"At most {MAX_SCHEDULED} posts can wait.", extra={"field": "scheduled_at"})
    locked_context(draft)
    media = claimed_media(draft)
    row.save(force_insert=True)
    Media.objects.filter(pk__in=[item.pk for item in media]).update(scheduled=row)
    return row


@transaction.atomic
def change_scheduled(
    *, owner: User, scheduled_id: int, at: datetime | None = None, text: str | None = None, visibility: str = ""
) -> ScheduledPost:
    """Give a waiting post another time, other words or other readers. Raises NotFound for none of one's own."""
    row = _locked(owner, scheduled_id)
    if at is not None:
        _check_time(at)
        row.due_at, row.failure = at, ""
    if text is not None:
        row.draft["text"] = plaintext.clean(text)
    if visibility:
        row.draft["visibility"] = visibility
    check_draft(_draft(row))
    row.save(update_fields=["due_at", "failure", "draft"])
    return row


@transaction.atomic
def cancel_scheduled(*, owner: User, scheduled_id: int) -> None:
    """Forget a waiting post; its pictures go with the next clean-up."""
    _locked(owner, scheduled_id).delete()


def publish_due() -> int:
    """Publish a batch of what is due; returns how many became posts."""
    due = ScheduledPost.objects.filter(due_at__lte=clock.now(), failure="").order_by("due_at")
    return sum(_published(pk) for pk in list(due.values_list("pk", flat=True)[:PUBLISH_BATCH]))


def _published(scheduled_id: int) -> bool:
    try:
        return _publish(scheduled_id)
    # The boundary to a whole batch: what failed for no reason of its own is tried again next time.
    except Exception:
        log.exception("scheduled post failed", scheduled_id=scheduled_id)
        return False


@transaction.atomic
def _publish(scheduled_id: int) -> bool:
    """Whether it became a post. Another worker's row is left to it."""
    rows = ScheduledPost.objects.select_for_update(skip_locked=True, of=("self",)).select_related("author")
    row = rows.filter(pk=scheduled_id, due_at__lte=clock.now(), failure="").first()
    if row is None:
        return False
    draft = _draft(row)
    try:
        with transaction.atomic():
            check_draft(draft)
            publish(draft, ids.next_id(), Surface.UNSPECIFIED, scheduled_id=row.pk)
            row.delete()
    except ApplicationError as error:
        row.failure = error.message[:300]
        row.save(update_fields=["failure"])
        return False
    return True


def _draft(row: ScheduledPost) -> Draft:
    """What the row says, as `create_post` would have it."""
    known = {**row.draft, "media_ids": tuple(row.draft["media_ids"])}
    if "poll" in known:
        known["poll"] = PollDraft(**{**known["poll"], "options": tuple(known["poll"]["options"])})
    try:
        known["visibility"] = Visibility(known["visibility"])
    except ValueError:
        raise Invalid("Unknown visibility.", extra={"field": "visibility"}) from None
    return Draft(author=row.author, application=row.application, **known)


def _locked(owner: User, scheduled_id: int) -> ScheduledPost:
    rows = ScheduledPost.objects.select_for_update(of=("self",)).select_related("author")
    row = rows.filter(author=owner, pk=scheduled_id).first()
    if row is None:
        raise NotFound("This post does not wait any more.")
    return row


def _first(author: User, scheduled_id: int) -> ScheduledPost:
    row = ScheduledPost.objects.filter(author=author, pk=scheduled_id).first()
    if row is None:
        raise Conflict("The post of this idempotency key does not wait any more.")
    return row


def _check_time(at: datetime) -> None:
    if at < clock.now() + SOONEST:
        raise Invalid("Choose a time at least five minutes from now.", extra={"field": "scheduled_at"})
    if at > clock.now() + LATEST:
        raise Invalid("Choose a time within five years.", extra={"field": "scheduled_at"})

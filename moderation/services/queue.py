"""Decisions on entries of the moderators' queue: one word of theirs, translated into the right service."""

from collections.abc import Iterable
from typing import TypeVar

from django.db import transaction

from accounts.models import User
from moderation.models import Appeal, PostFlags, Report
from moderation.services.appeals import decide_appeal
from moderation.services.audit import check_impartial, check_moderator, record
from moderation.services.labels import apply_label, lock_flags
from moderation.services.reports import decide_report
from moderation.types import Label, QueueKind, ReviewAction
from posts.models import Post
from xsocial.kernel import clock
from xsocial.kernel.errors import ApplicationError, Invalid, NotFound

T = TypeVar("T")
DISMISS, UPHOLD = "dismiss", "uphold"
#: What a moderator can call a post; the word is the form's value.
LABELS = {
    "spam": Label.SPAM,
    "abuse": Label.FOSNR_ABUSE_INSULTS,
    "hate": Label.FOSNR_HATEFUL_CONDUCT,
    "violence": Label.FOSNR_VIOLENT_SPEECH,
    "adult": Label.NSFW_REPORTED_HEURISTICS,
    "self_harm": Label.SELF_HARM,
}


def decide_many(
    *, moderator: User, kind: QueueKind, ids: Iterable[int], verdict: str, note: str = ""
) -> tuple[int, list[str]]:
    """Decide entries one by one; returns how many went well and what was said about the others."""
    check_moderator(moderator)
    done, refusals = 0, []
    for pk in ids:
        try:
            decide(moderator=moderator, kind=kind, pk=pk, verdict=verdict, note=note)
            done += 1
        except ApplicationError as error:
            refusals.append(error.message)
    return done, refusals


@transaction.atomic
def decide(*, moderator: User, kind: QueueKind, pk: int, verdict: str, note: str = "") -> None:
    """Decide one entry: a report, an appeal, or a post of which the models were not sure.

    Raises Invalid for a verdict that the kind does not know, NotFound, and what the services raise.
    """
    label = LABELS.get(verdict)
    if verdict not in (DISMISS, UPHOLD) and label is None:
        raise Invalid("That is not a decision we know.")
    match kind:
        case QueueKind.REPORTS:
            row = _found(Report.objects.filter(pk=pk).first())
            is_upheld = verdict != DISMISS
            decide_report(moderator=moderator, report=row, is_upheld=is_upheld, label=label, note=note)
        case QueueKind.APPEALS:
            if label:
                raise Invalid("An appeal is granted or refused.")
            row = _found(Appeal.objects.filter(pk=pk).first())
            decide_appeal(moderator=moderator, appeal=row, is_upheld=verdict == UPHOLD, note=note)
        case QueueKind.UNSURE:
            _settle(moderator, _found(Post.objects.filter(pk=pk).first()), label, note)


def _settle(moderator: User, post: Post, label: Label | None, note: str) -> None:
    """Put a label on, or call the post harmless; either way nobody is asked again."""
    check_moderator(moderator)
    check_impartial(moderator, post.author_id)
    lock_flags([post.pk])
    PostFlags.objects.filter(post=post).update(is_borderline=False, updated_at=clock.now())
    if label:
        apply_label(moderator=moderator, post=post, label=label, note=note)
    else:
        record(moderator, ReviewAction.FOUND_HARMLESS, post_id=post.pk, note=note)


def _found(row: T | None) -> T:
    if row is None:
        raise NotFound("It is gone.")
    return row

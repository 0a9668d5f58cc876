"""Objections of authors to labels on their posts."""

from django.db import IntegrityError, transaction

from accounts.models import User
from moderation.models import Appeal, PostLabel
from moderation.services.audit import check_impartial, check_moderator, record
from moderation.services.labels import lift_row
from moderation.services.notices import tell_authors
from moderation.types import STATUS_LABELS, AppealState, ReviewAction
from xsocial.kernel import clock
from xsocial.kernel.errors import Conflict, Invalid, NotAllowed


@transaction.atomic
def appeal(*, author: User, label: PostLabel, statement: str) -> Appeal:
    """Object to a label on one's own post, once.

    Raises NotAllowed for others' posts, Invalid for a label that restricts nothing or is gone, or an
    empty statement, Conflict for a second objection to the same label.
    """
    if label.post.author_id != author.pk:
        raise NotAllowed("Only the author may appeal.")
    if label.label in STATUS_LABELS or not label.is_active:
        raise Invalid("There is nothing to appeal against.")
    if not statement.strip():
        raise Invalid("Please say why the label is wrong.")
    try:
        with transaction.atomic():
            return Appeal.objects.create(label=label, author=author, statement=statement.strip()[:2000])
    except IntegrityError as error:
        raise Conflict("You have already appealed against this label.") from error


@transaction.atomic
def decide_appeal(*, moderator: User, appeal: Appeal, is_upheld: bool, note: str = "") -> None:
    """Grant or refuse an appeal. Granting takes the label off and keeps its rule from putting it back.

    Raises NotAllowed for people who may not moderate, who put the label there or who appeal, Conflict when decided.
    """
    check_moderator(moderator)
    appeal = Appeal.objects.select_for_update().select_related("label").get(pk=appeal.pk)
    if appeal.state != AppealState.OPEN:
        raise Conflict("Somebody has decided this appeal already.")
    check_impartial(moderator, appeal.author_id)
    if _put_on_by(moderator, appeal.label):
        raise NotAllowed("Somebody else must decide about your own label.")
    appeal.state = AppealState.UPHELD if is_upheld else AppealState.REJECTED
    appeal.decided_at = clock.now()
    appeal.save(update_fields=["state", "decided_at"])
    PostLabel.objects.filter(pk=appeal.label_id).update(reviewed_at=clock.now())
    if is_upheld and appeal.label.lifted_at is None:
        lift_row(appeal.label, reason="appeal upheld")
    tell_authors([appeal.label.post_id])
    action = ReviewAction.APPEAL_UPHELD if is_upheld else ReviewAction.APPEAL_REJECTED
    record(moderator, action, appeal=appeal, post_id=appeal.label.post_id, label=appeal.label.label, note=note)


def _put_on_by(moderator: User, label: PostLabel) -> bool:
    return moderator.review_decisions.filter(
        action=ReviewAction.LABEL_APPLIED, post_id=label.post_id, label=label.label
    ).exists()

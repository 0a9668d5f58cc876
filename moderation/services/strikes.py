"""Strikes: rules that an account broke, counted for a while; too many suspend it."""

from datetime import timedelta

from django.db.models import QuerySet

from accounts.models import User
from accounts.services import suspend_account, unsuspend_account
from moderation.models import PostLabel, Strike
from moderation.services.audit import record
from moderation.types import ReviewAction
from xsocial.kernel import clock

STRIKES_TO_SUSPENSION = 3
COUNTS_FOR = timedelta(days=90)


def active_strikes(account_id: int) -> QuerySet[Strike]:
    """Strikes that count today."""
    return Strike.objects.filter(account_id=account_id, withdrawn_at=None, expires_at__gt=clock.now())


def strike(*, moderator: User, label: PostLabel) -> None:
    """Count a label that a moderator put on against the post's author. Needs a transaction.

    A label gives one strike however often this is called. The last strike suspends the account.
    """
    author = User.objects.select_for_update().get(pk=label.post.author_id)
    expires_at = clock.now() + COUNTS_FOR
    _, is_new = Strike.objects.get_or_create(label=label, defaults={"account": author, "expires_at": expires_at})
    if not is_new:
        return
    record(moderator, ReviewAction.STRIKE_GIVEN, post_id=label.post_id, label=label.label)
    if active_strikes(author.pk).count() >= STRIKES_TO_SUSPENSION and author.suspended_at is None:
        suspend_account(user=author)
        record(moderator, ReviewAction.ACCOUNT_SUSPENDED, post_id=label.post_id, note=f"@{author.username}")


def withdraw_strike(label: PostLabel) -> None:
    """The label was wrong: its strike no longer counts, nor a suspension that it tipped. Needs a transaction."""
    gone = Strike.objects.filter(label=label, withdrawn_at=None).update(withdrawn_at=clock.now())
    if not gone:
        return
    author = User.objects.select_for_update().get(pk=label.post.author_id)
    if author.suspended_at and active_strikes(author.pk).count() < STRIKES_TO_SUSPENSION:
        unsuspend_account(user=author)

"""Who may moderate, and the record of what they did."""

from accounts.models import User
from accounts.selectors.rights import has_right
from moderation.models import ReviewDecision
from moderation.types import ReviewAction
from xsocial.kernel.errors import NotAllowed

OWN_CASE = "Somebody else must decide what is about you or was reported by you."


def is_moderator(user: User) -> bool:
    """Whether the person has the right `moderation.moderate`, as superusers do; being staff is not enough."""
    return has_right(user, "moderation.moderate")


def check_moderator(user: User) -> None:
    """Raise NotAllowed unless the person may moderate."""
    if not is_moderator(user):
        raise NotAllowed("Only moderators may do that.")


def check_impartial(moderator: User, *involved: int) -> None:
    """Raise NotAllowed for a moderator who is one of those involved, by their ids: nobody decides their own case."""
    if moderator.pk in involved:
        raise NotAllowed(OWN_CASE)


def record(moderator: User, action: ReviewAction, **about: object) -> None:
    """Add a row to the audit log."""
    ReviewDecision.objects.create(moderator=moderator, action=action, **about)

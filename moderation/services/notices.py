"""Telling people what was decided about their posts: at once, and again when it changes."""

from collections.abc import Iterable

from accounts.models import User
from moderation.types import ADVERTISER_LABELS, STATUS_LABELS
from posts.models import Post
from posts.models.notification import NotificationKind
from posts.services import notify, withdraw_notification

USERNAME = "moderation"


def moderation_account() -> User:
    """The account in whose name notices come. Nobody can sign in to it."""
    account, is_new = User.objects.get_or_create(
        username=USERNAME, defaults={"display_name": "Moderation", "is_bot": True, "is_active": True}
    )
    if is_new:
        account.set_unusable_password()
        account.save(update_fields=["password"])
    return account


def restricting(labels: Iterable[str]) -> list[str]:
    """Those labels that limit who sees a post."""
    return [label for label in labels if label not in STATUS_LABELS and label not in ADVERTISER_LABELS]


def tell_author(post_id: int) -> None:
    """Send the author of a post a notice that leads to it; a newer one replaces an older one."""
    post = Post.objects.select_related("author").get(pk=post_id)
    sender = moderation_account()
    withdraw_notification(actor=sender, kind=NotificationKind.MODERATION, post=post)
    notify([post.author_id], actor=sender, kind=NotificationKind.MODERATION, post=post)

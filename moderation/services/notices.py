"""Telling people what was decided about their posts: at once, and again when it changes."""

from collections.abc import Iterable

from accounts.models import User
from moderation.types import ADVERTISER_LABELS, STATUS_LABELS
from posts.models import Post
from posts.models.notification import NotificationKind
from posts.services import notify_authors

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


def tell_authors(post_ids: Iterable[int]) -> None:
    """Send the authors of posts notices that lead to them; a newer one replaces an older one."""
    wanted = list(post_ids)
    if not wanted:
        return
    sender = moderation_account()
    posts = Post.objects.filter(pk__in=wanted).only("author_id")
    notify_authors(posts, actor=sender, kind=NotificationKind.MODERATION)

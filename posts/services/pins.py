"""Posts that their authors keep at the top of their profile."""

from django.db import transaction

from accounts.models import User
from accounts.services.locks import lock_users
from posts.models import Pin, Post
from posts.types import Visibility
from xsocial.kernel.errors import Invalid, NotAllowed

MAX_PINS = 5


@transaction.atomic
def pin(*, user: User, post: Post) -> None:
    """Put a post of one's own above the others; a pinned one stays where it is.

    Raises NotAllowed for somebody else's, Invalid for reposts and direct posts and beyond MAX_PINS.
    """
    if post.author_id != user.pk:
        raise NotAllowed("Only posts of your own can be pinned.")
    if post.is_repost or post.visibility == Visibility.DIRECT:
        raise Invalid("Reposts and direct posts cannot be pinned.")
    lock_users({user.pk})
    if Pin.objects.filter(post=post).exists():
        return
    if Pin.objects.filter(author=user).count() >= MAX_PINS:
        raise Invalid(f"You have pinned {MAX_PINS} posts, and there can be no more.")
    Pin.objects.create(post=post, author=user)


def unpin(*, user: User, post: Post) -> None:
    """Let a post stand where its time puts it."""
    Pin.objects.filter(post=post, author=user).delete()

"""A person's posts that wait for their time. Nobody else's business."""

from accounts.models import User
from posts.models import ScheduledPost
from xsocial.kernel.errors import NotFound
from xsocial.kernel.paging import Cursor, paged


def scheduled_posts(owner: User, cursor: Cursor) -> list[ScheduledPost]:
    """A page of them with their attachments, last written first. Two queries."""
    return paged(ScheduledPost.objects.filter(author=owner).prefetch_related("media"), cursor)


def scheduled_post(owner: User, scheduled_id: int) -> ScheduledPost:
    """One of them. Raises NotFound."""
    row = ScheduledPost.objects.filter(author=owner, pk=scheduled_id).prefetch_related("media").first()
    if row is None:
        raise NotFound("This post does not wait any more.")
    return row

"""Keeping a post from everybody but its author, whatever the reason of the layer above."""

from datetime import UTC, datetime

from posts.models import Post

FOR_GOOD = datetime(9999, 1, 1, tzinfo=UTC)


def withhold(post_id: int, until: datetime | None = None) -> None:
    """From now on only its author may open the post; without `until`, until it is released."""
    Post.objects.filter(pk=post_id).update(withheld_until=until or FOR_GOOD)


def release(post_id: int) -> None:
    """Let the post be seen again."""
    Post.objects.filter(pk=post_id, withheld_until__isnull=False).update(withheld_until=None)

"""What moderation does inside the transactions of the layer below. Its services are loaded when first needed."""

from posts.models import Post


def on_media_attached(sender: type[Post], *, post: Post, **_: object) -> None:
    """A forbidden picture is withheld before anybody can see it."""
    from moderation import services

    if services.screen_pictures(post.pk):
        post.refresh_from_db(fields=["withheld_until"])


def on_rewritten(sender: type[Post], *, post: Post, **_: object) -> None:
    """Nobody has looked at the new wording yet."""
    from moderation import services

    services.doubt(post.pk)

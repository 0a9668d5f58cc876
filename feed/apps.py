"""The feed app: Home Mixer, Thunder, receipts."""

from django.apps import AppConfig


class FeedConfig(AppConfig):
    name = "feed"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Tell the post cards where covers come from."""
        from feed import covers
        from posts.cards import use_cover_source

        use_cover_source(covers.of_posts)

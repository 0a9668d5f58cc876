"""App configuration."""

from django.apps import AppConfig


class ModerationConfig(AppConfig):
    name = "moderation"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Conversations show replies that carry a warning below the others."""
        from moderation.selectors import lowered_replies
        from posts.selectors.threads import use_lowered_source

        use_lowered_source(lowered_replies)

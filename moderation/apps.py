"""App configuration."""

from django.apps import AppConfig


class ModerationConfig(AppConfig):
    name = "moderation"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Conversations show replies that carry a warning below the others; forbidden pictures never show."""
        from moderation import receivers
        from moderation.selectors import lowered_replies
        from posts import events
        from posts.selectors.threads import use_lowered_source

        use_lowered_source(lowered_replies)
        events.media_attached.connect(receivers.on_media_attached, dispatch_uid="moderation.blocklist")

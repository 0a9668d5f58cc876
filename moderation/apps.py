"""App configuration."""

from django.apps import AppConfig


class ModerationConfig(AppConfig):
    name = "moderation"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Warned-of replies stand lower, copies and spam make no tag active, forbidden pictures never show.

        An edited post has to be screened anew.
        """
        from moderation import receivers
        from moderation.selectors import lowered_replies, voices
        from posts import events
        from posts.selectors.threads import use_lowered_source
        from posts.selectors.trends import use_voices_source

        use_lowered_source(lowered_replies)
        use_voices_source(voices)
        events.media_attached.connect(receivers.on_media_attached, dispatch_uid="moderation.blocklist")
        events.rewritten.connect(receivers.on_rewritten, dispatch_uid="moderation.doubt")

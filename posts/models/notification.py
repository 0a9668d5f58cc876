"""News for one person about what others did."""

from django.conf import settings
from django.db import models

from xsocial.kernel import clock


class NotificationKind(models.TextChoices):
    """The words of the Mastodon API where it has the concept."""

    MENTION = "mention"
    REPLY = "reply"
    FAVORITE = "favourite"
    REPOST = "reblog"
    QUOTE = "quote"
    FOLLOW = "follow"
    FOLLOW_REQUEST = "follow_request"
    FOLLOW_ACCEPTED = "follow_accepted"
    NEW_POST = "status"
    EDITED = "update"
    POLL = "poll"
    MODERATION = "moderation_warning"


class Notification(models.Model):
    recipient = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.CASCADE,
        related_name="notifications",
        db_index=False,
    )
    actor = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    kind = models.CharField(max_length=20, choices=NotificationKind.choices)
    post = models.ForeignKey("posts.Post", models.CASCADE, null=True, blank=True, related_name="+")
    created_at = models.DateTimeField(default=clock.now)
    read_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["recipient", "actor", "kind", "post"],
                name="posts_notification_once",
                nulls_distinct=False,
            )
        ]
        indexes = [models.Index(fields=["recipient", "-id"], name="posts_notification_recent")]

    def __str__(self) -> str:
        return f"{self.kind} for {self.recipient_id}"

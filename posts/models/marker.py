"""How far somebody has read, for clients to agree on."""

from django.conf import settings
from django.db import models

from xsocial.kernel import clock


class MarkedTimeline(models.TextChoices):
    """The words of the Mastodon API."""

    HOME = "home"
    NOTIFICATIONS = "notifications"


class Marker(models.Model):
    """The newest post or notification read in a timeline; `version` counts the changes."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="markers", db_index=False)
    timeline = models.CharField(max_length=20, choices=MarkedTimeline.choices)
    last_read_id = models.BigIntegerField()
    version = models.PositiveIntegerField(default=1)
    updated_at = models.DateTimeField(default=clock.now)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "timeline"], name="posts_marker_once")]

    def __str__(self) -> str:
        return f"{self.user_id} read {self.timeline} up to {self.last_read_id}"

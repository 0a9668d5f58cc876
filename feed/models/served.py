"""What each page load showed, newest fifty per person."""

from django.conf import settings
from django.db import models

from xsocial.kernel import clock


class ServedHistory(models.Model):
    """One answered request. `entries` are plain dictionaries, one per id shown in a slot."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="served_history", db_index=False)
    timeline = models.CharField(max_length=20, default="home")
    platform = models.CharField(max_length=20, default="web")
    request_id = models.BigIntegerField()
    request_type = models.CharField(max_length=10)
    served_at = models.DateTimeField(default=clock.now)
    entries = models.JSONField()
    has_who_to_follow = models.BooleanField(default=False)

    class Meta:
        verbose_name_plural = "served histories"
        indexes = [models.Index(fields=["user", "timeline", "platform", "-served_at"], name="feed_served_recent")]

    def __str__(self) -> str:
        return f"{self.user_id} {self.served_at:%Y-%m-%d %H:%M:%S}: {len(self.entries)} entries"

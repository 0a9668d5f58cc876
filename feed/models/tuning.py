"""How people tuned their own feed."""

from django.conf import settings
from django.db import models

from xsocial.kernel import clock


class FeedTuning(models.Model):
    """One person's multipliers by group, without those that change nothing. No row: as the site has it."""

    user = models.OneToOneField(settings.AUTH_USER_MODEL, models.CASCADE, primary_key=True, related_name="+")
    multipliers = models.JSONField()
    updated_at = models.DateTimeField(default=clock.now)

    def __str__(self) -> str:
        return f"Tuning of {self.user_id}"

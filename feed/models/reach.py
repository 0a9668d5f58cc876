"""How far an author's posts came, counted from receipts."""

from django.conf import settings
from django.db import models


class AuthorReach(models.Model):
    """One author's day before one audience. Counts are posts times page loads.

    ``counts`` maps a step of the funnel, or a rule that left posts out, to [how many, how many people].
    """

    author = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="reach", db_index=False)
    day = models.DateField()
    by_followers = models.BooleanField(help_text="Before followers; else before everybody else.")
    counts = models.JSONField()
    left_out = models.JSONField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["author", "day", "by_followers"], name="feed_reach_once"),
        ]
        indexes = [models.Index(fields=["day"], name="feed_reach_day")]

    def __str__(self) -> str:
        return f"{self.author_id} on {self.day}"

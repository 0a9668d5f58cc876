"""What others' noes have come to, per author."""

from django.conf import settings
from django.db import models

from xsocial.kernel import clock


class AuthorStanding(models.Model):
    """How much strangers are recommended an author who met with many noes. No row means: fully.

    Replaced as a whole by the task that weighs signals; old noes fade out of it by themselves.
    """

    author = models.OneToOneField(settings.AUTH_USER_MODEL, models.CASCADE, primary_key=True, related_name="standing")
    people = models.PositiveIntegerField(help_text="Who said no, each once.")
    voices = models.FloatField(help_text="Their weight after expiry, linked people counted together.")
    viewers = models.PositiveIntegerField(help_text="Who met the author in the same time.")
    factor = models.FloatField(help_text="What recommendations are multiplied by.")
    weighed_at = models.DateTimeField(default=clock.now)

    def __str__(self) -> str:
        return f"{self.author_id}: {self.factor:.2f}"

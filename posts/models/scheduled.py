"""Posts that wait for their time."""

from django.conf import settings
from django.db import models
from django.db.models import Q

from xsocial.kernel import clock, ids


class ScheduledPost(models.Model):
    """What somebody wrote for later; gone once it is a post. `draft` is what it will be made of.

    One that could not be published keeps its `failure`, for its author to read.
    """

    id = models.BigIntegerField(primary_key=True, default=ids.next_id, editable=False)
    author = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="scheduled_posts", db_index=False)
    due_at = models.DateTimeField()
    draft = models.JSONField()
    application = models.CharField(max_length=80, blank=True)
    failure = models.CharField(max_length=300, blank=True)
    created_at = models.DateTimeField(default=clock.now)

    class Meta:
        indexes = [
            models.Index(fields=["author", "-id"], name="posts_scheduled_author"),
            models.Index(fields=["due_at"], condition=Q(failure=""), name="posts_scheduled_due"),
        ]

    def __str__(self) -> str:
        return f"{self.pk} for {self.due_at:%Y-%m-%d %H:%M}"

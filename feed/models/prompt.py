"""Short notices that may stand at the top of a page."""

from django.db import models
from django.db.models import Q

from xsocial.kernel import clock


class PromptQuerySet(models.QuerySet):
    """Prompts by whether they are due."""

    def current(self) -> "PromptQuerySet":
        """Active and inside their dates."""
        now = clock.now()
        return self.filter(
            Q(starts_at=None) | Q(starts_at__lte=now),
            Q(ends_at=None) | Q(ends_at__gt=now),
            is_active=True,
        )


class Prompt(models.Model):
    """One notice with at most one action."""

    KINDS = [
        ("inline", "Inline"),
        ("full_cover", "Full cover"),
        ("half_cover", "Half cover"),
        ("relevance", "Relevance"),
    ]

    kind = models.CharField(max_length=12, choices=KINDS, default="inline")
    title = models.CharField(max_length=80)
    text = models.CharField(max_length=300, blank=True)
    action_label = models.CharField(max_length=40, blank=True)
    action_url = models.CharField(max_length=300, blank=True)
    position = models.PositiveSmallIntegerField(default=0)
    is_active = models.BooleanField(default=True)
    staff_only = models.BooleanField(default=False)
    starts_at = models.DateTimeField(null=True, blank=True)
    ends_at = models.DateTimeField(null=True, blank=True)

    objects = PromptQuerySet.as_manager()

    class Meta:
        ordering = ["position", "id"]

    def __str__(self) -> str:
        return self.title

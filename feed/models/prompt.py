"""Short notices that may stand at the top of a page."""

from django.db import models


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

    class Meta:
        ordering = ["position", "id"]

    def __str__(self) -> str:
        return self.title

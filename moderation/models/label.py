"""Safety labels: active ones restrict or clear a post, lifted ones are kept as history."""

from django.db import models
from django.db.models import Q

from moderation.types import Label, LabelSource
from xsocial.kernel import clock


class PostLabel(models.Model):
    """One label on one post, with who put it there, why, and until when.

    A post carries a label at most once at a time. Lifting fills `lifted_at` and keeps the row, so
    that the same rule with the same evidence can be told not to come back.
    """

    post = models.ForeignKey("posts.Post", models.CASCADE, related_name="safety_labels", db_index=False)
    label = models.CharField(max_length=40, choices=[(label.value, label.value) for label in Label])
    source = models.CharField(max_length=12, choices=[(s.value, s.name.title()) for s in LabelSource])
    rule = models.CharField(max_length=60, blank=True, help_text="Rule that put it there.")
    rule_id = models.PositiveSmallIntegerField(null=True, blank=True, help_text="1400 to 1499: Grox.")
    version = models.CharField(max_length=60, blank=True, help_text="Model or policy version.")
    score = models.FloatField(null=True, blank=True, help_text="0 to 1.")
    evidence = models.JSONField(default=dict, blank=True)
    evidence_hash = models.CharField(max_length=64, blank=True)
    applied_at = models.DateTimeField(default=clock.now)
    expires_at = models.DateTimeField(null=True, blank=True)
    reviewed_at = models.DateTimeField(null=True, blank=True)
    lifted_at = models.DateTimeField(null=True, blank=True)
    lifted_reason = models.CharField(max_length=200, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["post", "label"], condition=Q(lifted_at=None), name="moderation_label_once")
        ]
        indexes = [
            models.Index(fields=["post"], name="moderation_label_post"),
            models.Index(fields=["label", "-applied_at"], name="moderation_label_recent"),
        ]

    def __str__(self) -> str:
        return f"{self.label} on {self.post_id}"

    @property
    def is_active(self) -> bool:
        """In force now: neither lifted nor past its expiry."""
        return self.lifted_at is None and (self.expires_at is None or self.expires_at > clock.now())

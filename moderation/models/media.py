"""Pictures that nobody may post, and what was read out of pictures, video and sound."""

from django.conf import settings
from django.db import models
from pgvector.django import BitField

from moderation.types import Label
from xsocial.kernel import clock, fingerprints


class BlockedPicture(models.Model):
    """A picture known to be forbidden, kept as its fingerprint only; whatever shows it gets `label`."""

    bits = BitField(length=fingerprints.BITS, unique=True)
    label = models.CharField(max_length=40, choices=[(label.value, label.value) for label in Label], default=Label.PDNA)
    note = models.CharField(max_length=200, blank=True, help_text="Where it comes from, for moderators.")
    added_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+")
    created_at = models.DateTimeField(default=clock.now)

    def __str__(self) -> str:
        return f"blocked picture {self.pk}"


class MediaReading(models.Model):
    """What was found in one attachment. Its file never changes, so it is read once for each set of models."""

    media = models.OneToOneField("posts.Media", models.CASCADE, primary_key=True, related_name="reading")
    writing = models.TextField(blank=True, help_text="Words seen in the picture or in frames.")
    transcript = models.TextField(blank=True, help_text="Words spoken.")
    nudity = models.FloatField(null=True, blank=True, help_text="0 to 1, of the worst frame; empty: not scored.")
    not_scored = models.CharField(max_length=200, blank=True, help_text="Parts that nothing here could judge.")
    versions = models.JSONField(default=dict, blank=True)
    milliseconds = models.FloatField(default=0)
    created_at = models.DateTimeField(default=clock.now)

    def __str__(self) -> str:
        return f"reading of {self.pk}"


class PostSummary(models.Model):
    """A short text that stands for a post in an embedding."""

    post = models.ForeignKey("posts.Post", models.CASCADE, related_name="summaries", db_index=False)
    version = models.CharField(max_length=120, help_text="Who made it: prompt and model, or rule.")
    text = models.TextField()
    created_at = models.DateTimeField(default=clock.now)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["post", "version"], name="moderation_summary_once")]

    def __str__(self) -> str:
        return f"summary of {self.post_id}"

"""Pictures and videos, as re-encoded by us."""

from django.conf import settings
from django.db import models
from pgvector.django import BitField

from posts.types import MediaKind
from xsocial.kernel import clock, fingerprints, ids


class Media(models.Model):
    """One attachment; without `post` it waits in its owner's composer, or with a post for later."""

    id = models.BigIntegerField(primary_key=True, default=ids.next_id, editable=False)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="media", db_index=False)
    post = models.ForeignKey("posts.Post", models.CASCADE, null=True, blank=True, related_name="media")
    scheduled = models.ForeignKey("posts.ScheduledPost", models.SET_NULL, null=True, blank=True, related_name="media")
    position = models.PositiveSmallIntegerField(default=0)
    kind = models.CharField(max_length=8, choices=[(k.value, k.name.title()) for k in MediaKind])
    file = models.FileField(upload_to="media/%Y/%m/")
    preview = models.ImageField(upload_to="previews/%Y/%m/", blank=True)
    alt_text = models.CharField(max_length=1500, blank=True)
    width = models.PositiveIntegerField(default=0)
    height = models.PositiveIntegerField(default=0)
    duration_ms = models.PositiveIntegerField(null=True, blank=True)
    blurhash = models.CharField(max_length=120, blank=True)
    content_type = models.CharField(max_length=60)
    created_at = models.DateTimeField(default=clock.now)

    class Meta:
        verbose_name_plural = "media"
        ordering = ["position", "id"]
        indexes = [models.Index(fields=["owner", "-id"], name="posts_media_owner")]

    def __str__(self) -> str:
        return f"{self.kind} {self.pk}"


class MediaFingerprint(models.Model):
    """What a picture, or a moment of a video, looks like. Too plain ones have none."""

    media = models.ForeignKey(Media, models.CASCADE, related_name="fingerprints", db_index=False)
    at_ms = models.PositiveIntegerField(default=0)
    bits = BitField(length=fingerprints.BITS)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["media", "at_ms"], name="posts_fingerprint_once")]

    def __str__(self) -> str:
        return f"{self.media_id} at {self.at_ms} ms"

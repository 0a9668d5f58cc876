"""Keys by which a repeated creation is recognised."""

from django.conf import settings
from django.db import models

from xsocial.kernel import clock


class IdempotencyKey(models.Model):
    """The first use of `key` by `user` made the object `object_id`.

    `fingerprint` hashes the request's content: the same key with other content is a conflict.
    """

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    key = models.CharField(max_length=128)
    fingerprint = models.CharField(max_length=64)
    object_id = models.BigIntegerField()
    created_at = models.DateTimeField(default=clock.now)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "key"], name="posts_idempotency_unique")]
        indexes = [models.Index(fields=["created_at"], name="posts_idempotency_time")]

    def __str__(self) -> str:
        return f"{self.user_id}: {self.key}"

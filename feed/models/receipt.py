"""Why each page looked as it did."""

from django.conf import settings
from django.db import models

from xsocial.kernel import clock


class Receipt(models.Model):
    """One page load, compressed. Kept 30 days; belongs to the viewer and goes with the account."""

    request_id = models.BigIntegerField(primary_key=True)
    viewer = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="receipts", db_index=False)
    weight_set = models.IntegerField(help_text="Number of the weight set; 0 is the published one.")
    model = models.CharField(max_length=80, blank=True)
    build = models.CharField(max_length=40, blank=True)
    body = models.BinaryField(help_text="JSON, zstd.")
    created_at = models.DateTimeField(default=clock.now)

    class Meta:
        indexes = [
            models.Index(fields=["viewer", "-created_at"], name="feed_receipt_viewer"),
            models.Index(fields=["created_at"], name="feed_receipt_age"),
        ]

    def __str__(self) -> str:
        return f"{self.request_id} for {self.viewer_id}"

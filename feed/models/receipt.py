"""Why each page looked as it did, and who looked at that."""

from datetime import datetime

from django.conf import settings
from django.db import models

from xsocial.kernel import clock, ids
from xsocial.kernel.append_only import AppendOnly


class LoadSettings(AppendOnly):
    """What many page loads have in common: weights, parameters, build, models. Known by its digest."""

    digest = models.CharField(max_length=64, unique=True, editable=False)
    body = models.JSONField()
    created_at = models.DateTimeField(default=clock.now, editable=False)

    class Meta:
        verbose_name_plural = "load settings"

    def __str__(self) -> str:
        return self.digest[:12]


class Receipt(models.Model):
    """One page load, compressed. Kept 30 days; belongs to the viewer and goes with the account.

    The table is partitioned by day of ``request_id``, which carries its time; ``feed.receipts.partitions``
    makes and drops the partitions.
    """

    request_id = models.BigIntegerField(primary_key=True)
    viewer = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="receipts", db_index=False)
    settings = models.ForeignKey(LoadSettings, models.PROTECT, related_name="receipts", db_index=False)
    body = models.BinaryField(help_text="The load's inputs and outcome, packed.")
    reach = models.BinaryField(null=True, help_text="How far authors' posts came, packed, for counting.")

    class Meta:
        indexes = [models.Index(fields=["viewer", "-request_id"], name="feed_receipt_viewer_newest")]

    def __str__(self) -> str:
        return f"{self.request_id} for {self.viewer_id}"

    @property
    def created_at(self) -> datetime:
        """When the page was asked for."""
        return ids.datetime_of(self.request_id)


class ReceiptLook(AppendOnly):
    """Somebody other than the viewer looked at a receipt. The viewer sees who and why."""

    request_id = models.BigIntegerField()
    viewer = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="receipt_looks", db_index=False)
    actor = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+")
    reason = models.CharField(max_length=200)
    created_at = models.DateTimeField(default=clock.now, editable=False)

    class Meta:
        ordering = ["-id"]
        indexes = [models.Index(fields=["viewer", "request_id"], name="feed_receiptlook_whose")]

    def __str__(self) -> str:
        return f"{self.actor or 'command line'} at {self.request_id}: {self.reason}"

"""The outbox: events wait here, in the transaction that caused them, until the relay sends them."""

from django.db import models


class OutboxEvent(models.Model):
    """One published event. A row without `sent_at` is still to be sent; sent ones can be replayed."""

    id = models.BigAutoField(primary_key=True)
    name = models.CharField(max_length=100)
    version = models.PositiveSmallIntegerField()
    payload = models.JSONField()
    created_at = models.DateTimeField()
    sent_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [
            # The relay asks only for this handful of rows, however many sent ones are kept.
            models.Index(fields=["id"], name="outbox_unsent", condition=models.Q(sent_at=None)),
            models.Index(fields=["created_at"], name="outbox_created_at"),
        ]

    def __str__(self) -> str:
        return f"{self.name} {self.pk}"

"""Accounts that a rule outside this platform keeps out of recommendations."""

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from xsocial.kernel import clock


class PolicyExclusion(models.Model):
    """One account, left out of For You for those who do not follow it: as author, through reposts, quotes
    and answers. Empty by default; every row says why and until when."""

    account = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    reason = models.CharField(max_length=200)
    country_code = models.CharField(max_length=2, blank=True, help_text="Viewers' country; empty is everywhere.")
    starts_at = models.DateTimeField(default=clock.now)
    ends_at = models.DateTimeField(null=True, blank=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, editable=False, related_name="+"
    )
    created_at = models.DateTimeField(default=clock.now, editable=False)

    class Meta:
        ordering = ["-created_at"]
        constraints = [
            models.CheckConstraint(
                condition=Q(ends_at=None) | Q(ends_at__gt=F("starts_at")),
                name="feed_exclusion_ends_later",
                violation_error_message="It must end after it starts.",
            )
        ]

    def __str__(self) -> str:
        return f"{self.account_id}: {self.reason}"

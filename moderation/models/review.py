"""Reports, what moderators decided, and what authors object to."""

from django.conf import settings
from django.db import models
from django.db.models import Q

from moderation.models.label import PostLabel
from moderation.types import AppealState, Label, ReportReason, ReportState, ReviewAction
from xsocial.kernel import clock


class Report(models.Model):
    """One person's report about an account and, usually, one of its posts."""

    reporter = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="reports_made")
    account = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="reports_received")
    post = models.ForeignKey("posts.Post", models.CASCADE, null=True, blank=True, related_name="reports")
    reason = models.CharField(
        max_length=16, choices=[(r.value, r.name.replace("_", " ").title()) for r in ReportReason]
    )
    note = models.CharField(max_length=1000, blank=True)
    state = models.CharField(
        max_length=10, choices=[(s.value, s.name.title()) for s in ReportState], default=ReportState.OPEN
    )
    created_at = models.DateTimeField(default=clock.now)
    decided_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["reporter", "account", "post"],
                condition=Q(state="open"),
                nulls_distinct=False,
                name="moderation_report_once",
            )
        ]
        indexes = [models.Index(fields=["state", "created_at"], name="moderation_report_queue")]

    def __str__(self) -> str:
        return f"{self.reason} report on {self.post_id or self.account_id}"


class Appeal(models.Model):
    """An author's objection to a label on their post; at most one for each label put on."""

    label = models.OneToOneField(PostLabel, models.CASCADE, related_name="appeal")
    author = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="appeals")
    statement = models.CharField(max_length=2000)
    state = models.CharField(
        max_length=10, choices=[(s.value, s.name.title()) for s in AppealState], default=AppealState.OPEN
    )
    created_at = models.DateTimeField(default=clock.now)
    decided_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        indexes = [models.Index(fields=["state", "created_at"], name="moderation_appeal_queue")]

    def __str__(self) -> str:
        return f"appeal against {self.label}"


class ReviewDecision(models.Model):
    """The audit log: who did what, to which post, and why. Rows are only ever added."""

    moderator = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="review_decisions")
    action = models.CharField(
        max_length=20, choices=[(a.value, a.name.replace("_", " ").title()) for a in ReviewAction]
    )
    post = models.ForeignKey("posts.Post", models.CASCADE, null=True, blank=True, related_name="review_decisions")
    report = models.ForeignKey(Report, models.SET_NULL, null=True, blank=True, related_name="decisions")
    appeal = models.ForeignKey(Appeal, models.SET_NULL, null=True, blank=True, related_name="decisions")
    label = models.CharField(max_length=40, blank=True, choices=[(label.value, label.value) for label in Label])
    note = models.CharField(max_length=1000, blank=True)
    created_at = models.DateTimeField(default=clock.now)

    class Meta:
        indexes = [models.Index(fields=["-created_at"], name="moderation_decision_recent")]
        permissions = [("moderate", "Can decide reports, labels and appeals")]

    def __str__(self) -> str:
        return f"{self.action} by {self.moderator_id}"


class Strike(models.Model):
    """A rule that an account broke, as a moderator found. It counts until it expires or is withdrawn."""

    account = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="strikes")
    label = models.OneToOneField(PostLabel, models.CASCADE, related_name="strike")
    created_at = models.DateTimeField(default=clock.now)
    expires_at = models.DateTimeField()
    withdrawn_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return f"strike for {self.account_id}"

"""What Grox found out about posts."""

from django.db import models
from django.db.models import Q

from moderation.types import AnnotationState
from xsocial.kernel import clock


class PostAnnotation(models.Model):
    """One run of one plan over one post. Rows are only ever added."""

    post = models.ForeignKey("posts.Post", models.CASCADE, related_name="annotations", db_index=False)
    plan = models.CharField(max_length=40)
    state = models.CharField(max_length=12, choices=[(s.value, s.name.title()) for s in AnnotationState])
    stream = models.CharField(max_length=64, blank=True, help_text="Why the post was looked at.")
    run_id = models.CharField(max_length=64, blank=True, help_text="The message; one done twice counts once.")
    attempt = models.PositiveSmallIntegerField(default=0)
    result = models.JSONField(default=dict, blank=True)
    versions = models.JSONField(default=dict, blank=True, help_text="Version of each model used.")
    reason = models.TextField(blank=True, help_text="Why it was skipped, failed or not scored.")
    milliseconds = models.FloatField(default=0)
    created_at = models.DateTimeField(default=clock.now)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["post", "plan", "run_id"], condition=~Q(run_id=""), name="moderation_annotation_once"
            )
        ]
        indexes = [
            models.Index(fields=["post", "plan", "-created_at"], name="moderation_annotation_post"),
            models.Index(fields=["-created_at"], name="moderation_annotation_recent"),
        ]

    def __str__(self) -> str:
        return f"{self.plan} of {self.post_id}: {self.state}"


class PostFlags(models.Model):
    """The flags of a post over all its runs: once true, a flag stays true until a person decides."""

    post = models.OneToOneField("posts.Post", models.CASCADE, primary_key=True, related_name="safety_flags")
    is_high_quality = models.BooleanField(default=False)
    is_nsfw = models.BooleanField(default=False)
    is_soft_nsfw = models.BooleanField(default=False)
    is_adult = models.BooleanField(default=False)
    is_gore = models.BooleanField(default=False)
    is_violent = models.BooleanField(default=False)
    is_spam = models.BooleanField(default=False)
    is_hateful = models.BooleanField(default=False)
    is_self_harm = models.BooleanField(default=False)
    is_borderline = models.BooleanField(default=False, help_text="Some score was near its threshold.")
    updated_at = models.DateTimeField(default=clock.now)

    NAMES = (
        "is_high_quality", "is_nsfw", "is_soft_nsfw", "is_adult", "is_gore", "is_violent", "is_spam",
        "is_hateful", "is_self_harm", "is_borderline",
    )  # fmt: skip

    class Meta:
        verbose_name_plural = "post flags"

    def __str__(self) -> str:
        return f"flags of {self.pk}"

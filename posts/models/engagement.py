"""What people saw and did: the log that ranking learns from.

Both tables carry `author_id` so that training never joins posts. Impressions are many and
written in batches; they keep no database-level foreign keys.
"""

from django.conf import settings
from django.db import models
from django.db.models import Q

from posts.types import TOGGLED_KINDS, EngagementKind, Surface
from xsocial.kernel import clock, ids


class Engagement(models.Model):
    """One action of one person on one post; taking it back deletes the row."""

    id = models.BigIntegerField(primary_key=True, default=ids.next_id, editable=False)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.CASCADE,
        related_name="engagements",
        db_index=False,
    )
    post = models.ForeignKey("posts.Post", models.CASCADE, related_name="engagements", db_index=False)
    author_id = models.BigIntegerField(help_text="Author of the post.")
    kind = models.PositiveSmallIntegerField(choices=[(k.value, k.name.lower()) for k in EngagementKind])
    surface = models.PositiveSmallIntegerField(
        choices=[(s.value, s.name.lower()) for s in Surface],
        default=Surface.UNSPECIFIED,
    )
    seconds = models.FloatField(null=True, blank=True, help_text="Dwell or watch time.")
    request_id = models.BigIntegerField(null=True, blank=True, help_text="Page load it happened on.")
    made_post_id = models.BigIntegerField(
        null=True,
        blank=True,
        help_text="The reply, quote or repost that the action made.",
    )
    created_at = models.DateTimeField(default=clock.now)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["user", "post", "kind"],
                condition=Q(kind__in=[int(kind) for kind in sorted(TOGGLED_KINDS)]),
                name="posts_engagement_toggle_unique",
            )
        ]
        indexes = [
            models.Index(fields=["user", "-created_at"], name="posts_engagement_user_time"),
            models.Index(
                fields=["post", "kind", "-created_at"],
                name="posts_engagement_post_kind",
            ),
            models.Index(fields=["created_at"], name="posts_engagement_time"),
            models.Index(
                fields=["made_post_id"],
                name="posts_engagement_made",
                condition=Q(made_post_id__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.user_id}: {EngagementKind(self.kind).name.lower()} {self.post_id}"


class Impression(models.Model):
    """A post was at least half visible for a second in a focused tab.

    `propensity` is the probability with which the logging policy put this post at this
    position; empty when unknown.
    """

    id = models.BigIntegerField(primary_key=True, default=ids.next_id, editable=False)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.CASCADE,
        related_name="impressions",
        db_constraint=False,
        db_index=False,
    )
    post = models.ForeignKey("posts.Post", models.CASCADE, related_name="impressions", db_constraint=False)
    author_id = models.BigIntegerField()
    surface = models.PositiveSmallIntegerField(
        choices=[(s.value, s.name.lower()) for s in Surface],
        default=Surface.UNSPECIFIED,
    )
    position = models.PositiveSmallIntegerField(null=True, blank=True)
    request_id = models.BigIntegerField(null=True, blank=True)
    seconds = models.FloatField(null=True, blank=True)
    propensity = models.FloatField(null=True, blank=True)
    created_at = models.DateTimeField(default=clock.now)

    class Meta:
        indexes = [
            models.Index(fields=["user", "-created_at"], name="posts_impression_user_time"),
            models.Index(fields=["created_at"], name="posts_impression_time"),
        ]

    def __str__(self) -> str:
        return f"{self.user_id} saw {self.post_id}"


class Bookmark(models.Model):
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.CASCADE,
        related_name="bookmarks",
        db_index=False,
    )
    post = models.ForeignKey("posts.Post", models.CASCADE, related_name="bookmarks")
    created_at = models.DateTimeField(default=clock.now)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "post"], name="posts_bookmark_unique")]
        indexes = [models.Index(fields=["user", "-id"], name="posts_bookmark_recent")]

    def __str__(self) -> str:
        return f"{self.user_id} keeps {self.post_id}"

"""Edges between two people. Each pair at most once, nobody with themselves.

Foreign keys without an index of their own are the first column of a constraint or index.
"""

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from xsocial.kernel import clock


def _pair_constraints(first: str, second: str, name: str) -> list[models.BaseConstraint]:
    return [
        models.UniqueConstraint(fields=[first, second], name=f"accounts_{name}_unique"),
        models.CheckConstraint(condition=~Q(**{first: F(second)}), name=f"accounts_{name}_not_self"),
    ]


class Follow(models.Model):
    follower = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.CASCADE,
        related_name="following_edges",
        db_index=False,
    )
    followee = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.CASCADE,
        related_name="follower_edges",
        db_index=False,
    )
    shows_reposts = models.BooleanField(default=True)
    notifies = models.BooleanField(default=False)
    created_at = models.DateTimeField(default=clock.now)

    class Meta:
        constraints = _pair_constraints("follower", "followee", "follow")
        indexes = [models.Index(fields=["followee", "follower"], name="accounts_follow_reverse")]

    def __str__(self) -> str:
        return f"{self.follower_id} follows {self.followee_id}"


class FollowRequest(models.Model):
    """A wish to follow a locked account, waiting for its owner."""

    requester = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.CASCADE,
        related_name="sent_requests",
        db_index=False,
    )
    target = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.CASCADE,
        related_name="received_requests",
        db_index=False,
    )
    created_at = models.DateTimeField(default=clock.now)

    class Meta:
        constraints = _pair_constraints("requester", "target", "follow_request")
        indexes = [models.Index(fields=["target", "-id"], name="accounts_request_inbox")]

    def __str__(self) -> str:
        return f"{self.requester_id} asks {self.target_id}"


class Block(models.Model):
    blocker = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.CASCADE,
        related_name="block_edges",
        db_index=False,
    )
    blocked = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.CASCADE,
        related_name="blocked_by_edges",
        db_index=False,
    )
    created_at = models.DateTimeField(default=clock.now)

    class Meta:
        constraints = _pair_constraints("blocker", "blocked", "block")
        indexes = [models.Index(fields=["blocked", "blocker"], name="accounts_block_reverse")]

    def __str__(self) -> str:
        return f"{self.blocker_id} blocks {self.blocked_id}"


class Mute(models.Model):
    """Silence one way. Past `expires_at` the row counts as absent."""

    muter = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.CASCADE,
        related_name="mute_edges",
        db_index=False,
    )
    muted = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="muted_by_edges")
    hides_notifications = models.BooleanField(default=True)
    expires_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(default=clock.now)

    class Meta:
        constraints = _pair_constraints("muter", "muted", "mute")

    def __str__(self) -> str:
        return f"{self.muter_id} mutes {self.muted_id}"


class CreatorSubscription(models.Model):
    """Paid access to an author's subscriber-only posts until `expires_at`."""

    subscriber = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.CASCADE,
        related_name="creator_subscriptions",
        db_index=False,
    )
    author = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="subscribers")
    expires_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(default=clock.now)

    class Meta:
        constraints = _pair_constraints("subscriber", "author", "subscription")

    def __str__(self) -> str:
        return f"{self.subscriber_id} subscribes to {self.author_id}"

"""What people say they care about: topics and starter packs.

Topics live here, below posts, because people follow them and posts are about them.
"""

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models

from xsocial.kernel import clock


class Topic(models.Model):
    """One entry of the topic vocabulary; `parent` is its super-topic."""

    slug = models.SlugField(unique=True)
    name = models.CharField(max_length=60)
    parent = models.ForeignKey("self", models.SET_NULL, null=True, blank=True, related_name="children")
    position = models.PositiveSmallIntegerField(default=0)

    class Meta:
        ordering = ["position", "name"]

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        """Topics form a tree: none is above itself."""
        passed, above = {self.pk}, self.parent
        while above:
            if above.pk in passed:
                raise ValidationError({"parent": "A topic cannot be below itself."})
            passed.add(above.pk)
            above = above.parent


class FollowedTopic(models.Model):
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.CASCADE,
        related_name="followed_topics",
        db_index=False,
    )
    topic = models.ForeignKey(Topic, models.CASCADE, related_name="followers")
    is_snoozed = models.BooleanField(default=False, help_text="Excluded from For You instead of sought.")
    created_at = models.DateTimeField(default=clock.now)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "topic"], name="accounts_followed_topic_unique")]

    def __str__(self) -> str:
        return f"{self.user_id}: topic {self.topic_id}"


class StarterPack(models.Model):
    """A named list of accounts a newcomer can follow at once."""

    slug = models.SlugField(unique=True)
    name = models.CharField(max_length=60)
    description = models.CharField(max_length=200, blank=True)
    creator = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="starter_packs")
    members = models.ManyToManyField(settings.AUTH_USER_MODEL, related_name="in_starter_packs")
    position = models.PositiveSmallIntegerField(default=0)
    created_at = models.DateTimeField(default=clock.now)

    class Meta:
        ordering = ["position", "id"]

    def __str__(self) -> str:
        return self.name


class StarterPackFollow(models.Model):
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.CASCADE,
        related_name="followed_packs",
        db_index=False,
    )
    pack = models.ForeignKey(StarterPack, models.CASCADE, related_name="follows")
    created_at = models.DateTimeField(default=clock.now)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "pack"], name="accounts_pack_follow_unique")]

    def __str__(self) -> str:
        return f"{self.user_id}: pack {self.pack_id}"

"""What a post is about and whom it names."""

from django.conf import settings
from django.db import models


class Tag(models.Model):
    """A hashtag, stored casefolded without the sign."""

    name = models.CharField(max_length=100, unique=True)
    may_trend = models.BooleanField("may be listed as active", default=True, db_default=True)

    def __str__(self) -> str:
        return f"#{self.name}"


class PostTag(models.Model):
    post = models.ForeignKey("posts.Post", models.CASCADE, related_name="tag_links", db_index=False)
    tag = models.ForeignKey(Tag, models.CASCADE, related_name="post_links", db_index=False)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["tag", "post"], name="posts_tag_unique")]
        indexes = [models.Index(fields=["post"], name="posts_tag_post")]

    def __str__(self) -> str:
        return f"{self.post_id}: tag {self.tag_id}"


class PostTopic(models.Model):
    """Topic of a post with the classifier's confidence in [0, 1]."""

    post = models.ForeignKey("posts.Post", models.CASCADE, related_name="topic_links", db_index=False)
    topic = models.ForeignKey("accounts.Topic", models.CASCADE, related_name="post_links")
    confidence = models.FloatField(default=1.0)
    is_curated = models.BooleanField(default=False, help_text="Approved by a person.")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["post", "topic"], name="posts_topic_unique")]

    def __str__(self) -> str:
        return f"{self.post_id}: topic {self.topic_id}"


class Mention(models.Model):
    post = models.ForeignKey("posts.Post", models.CASCADE, related_name="mentions", db_index=False)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="mentions")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["post", "user"], name="posts_mention_unique")]

    def __str__(self) -> str:
        return f"{self.post_id} names {self.user_id}"

"""What scheduled jobs work out about people and posts. Every row can be rebuilt from other tables."""

from django.conf import settings
from django.db import models

from xsocial.kernel import clock


class MutualFollowSignature(models.Model):
    """MinHash of the accounts a person follows and is followed by: 256 little-endian int64."""

    user = models.OneToOneField(settings.AUTH_USER_MODEL, models.CASCADE, primary_key=True, related_name="+")
    signature = models.BinaryField()
    updated_at = models.DateTimeField(default=clock.now)

    def __str__(self) -> str:
        return f"Signature of {self.user_id}"


class InferredTopics(models.Model):
    """Topics of what a person liked lately, most frequent first."""

    user = models.OneToOneField(settings.AUTH_USER_MODEL, models.CASCADE, primary_key=True, related_name="+")
    topic_ids = models.JSONField(default=list)
    updated_at = models.DateTimeField(default=clock.now)

    def __str__(self) -> str:
        return f"Topics of {self.user_id}"


class Codebook(models.Model):
    """Centroids of the residual quantiser: float16 [levels, codes, dimensions], zstd. The newest serves."""

    version = models.AutoField(primary_key=True)
    centroids = models.BinaryField()
    posts = models.IntegerField(help_text="Posts it was fitted to.")
    created_at = models.DateTimeField(default=clock.now)

    def __str__(self) -> str:
        return f"Codebook {self.version}"


class SemanticId(models.Model):
    """A post's content as six codes, coarse to fine: little-endian int16."""

    post = models.OneToOneField("posts.Post", models.CASCADE, primary_key=True, related_name="+")
    codes = models.BinaryField()
    codebook = models.ForeignKey(Codebook, models.CASCADE, related_name="+")

    def __str__(self) -> str:
        return f"Semantic id of {self.post_id}"


class PostCommunities(models.Model):
    """The communities whose members engaged with a post: int16 numbers and float32 weights of unit length.

    ``version`` is the run that made the row; numbers of different runs mean different communities.
    """

    post = models.OneToOneField("posts.Post", models.CASCADE, primary_key=True, related_name="+")
    communities = models.BinaryField()
    weights = models.BinaryField()
    version = models.BigIntegerField()

    def __str__(self) -> str:
        return f"Communities of {self.post_id}"

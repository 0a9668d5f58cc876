"""Content embeddings: written by Grox, read by Phoenix. Peers meet in this store below them."""

from django.db import models
from pgvector.django import HnswIndex, VectorField

from xsocial.kernel import clock

CONTENT_DIMENSIONS = 384


#: Served until another version is.
FIRST_VERSION = "minilm_v1"


class EmbeddingVersion(models.Model):
    """A version of content embeddings that is kept for new posts too. Of those served, the latest is read."""

    name = models.CharField(max_length=40, primary_key=True)
    served_at = models.DateTimeField(null=True, blank=True, help_text="Empty: still being made.")

    def __str__(self) -> str:
        return self.name


class PostEmbedding(models.Model):
    """Unit vector of a post's content under one embedder version."""

    post = models.ForeignKey("posts.Post", models.CASCADE, related_name="embeddings", db_index=False)
    model = models.CharField(max_length=40, help_text="Embedder and version.")
    vector = VectorField(dimensions=CONTENT_DIMENSIONS)
    created_at = models.DateTimeField(default=clock.now)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["post", "model"], name="posts_embedding_unique")]
        indexes = [
            HnswIndex(
                name="posts_embedding_hnsw",
                fields=["vector"],
                m=16,
                ef_construction=64,
                opclasses=["vector_ip_ops"],
            )
        ]

    def __str__(self) -> str:
        return f"{self.post_id} by {self.model}"

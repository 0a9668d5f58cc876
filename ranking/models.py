"""The registry of trained models, and what they make of posts ahead of time."""

from __future__ import annotations

from django.db import models
from pgvector.django import HnswIndex, VectorField

from xsocial.kernel import clock

VECTOR_DIMENSIONS = 64


class ModelVersion(models.Model):
    """One trained model: what it is, where it lies, how good it was, and whether it serves.

    At most one version of each kind is promoted; a database constraint keeps that promise.
    """

    class Kind(models.TextChoices):
        RANKER = "ranker"
        RETRIEVAL = "retrieval"

    class Status(models.TextChoices):
        CANDIDATE = "candidate"
        PROMOTED = "promoted"
        RETIRED = "retired"
        REJECTED = "rejected"

    kind = models.CharField(max_length=12, choices=Kind.choices)
    name = models.CharField(max_length=80, unique=True)
    status = models.CharField(max_length=12, choices=Status.choices, default=Status.CANDIDATE)
    config = models.JSONField(help_text="The model's configuration, as in its checkpoint.")
    training = models.JSONField(default=dict, help_text="Seed, period, examples, settings.")
    metrics = models.JSONField(default=dict, help_text="Measured on the held-out period.")
    path = models.CharField(max_length=255, help_text="Folder below the models directory.")
    artefact_hash = models.CharField(max_length=64, help_text="SHA-256 of the checkpoint.")
    parent = models.ForeignKey("self", models.SET_NULL, null=True, blank=True, related_name="children")
    created_at = models.DateTimeField(default=clock.now)
    promoted_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-created_at", "-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["kind"],
                condition=models.Q(status="promoted"),
                name="ranking_one_promoted_per_kind",
            )
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def quality(self) -> float | None:
        """The figure to compare versions by: NDCG@10 of a ranker, recall@500 of retrieval; None before evaluation."""
        pages = self.metrics.get("pages", {}).get("phoenix", {})
        return pages.get("ndcg@10", self.metrics.get("recall@500"))


class PostVector(models.Model):
    """A post in the space of one retrieval model. Vectors of different versions never meet.

    `changed_at` moves with every write, so that running servers can ask what is new; a post that must
    no longer be retrieved stays for a while with `is_active` false.
    """

    model = models.ForeignKey(ModelVersion, models.CASCADE, related_name="vectors", db_index=False)
    post_id = models.BigIntegerField()
    created_ms = models.BigIntegerField(help_text="When the post was made.")
    vector = VectorField(dimensions=VECTOR_DIMENSIONS)
    has_content = models.BooleanField(default=False, help_text="The content embedding was there.")
    is_active = models.BooleanField(default=True)
    changed_at = models.DateTimeField(default=clock.now)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["model", "post_id"], name="ranking_vector_unique")]
        indexes = [
            models.Index(fields=["model", "changed_at"], name="ranking_vector_changed"),
            models.Index(fields=["model", "created_ms"], name="ranking_vector_created"),
            HnswIndex(
                name="ranking_vector_hnsw",
                fields=["vector"],
                m=16,
                ef_construction=64,
                opclasses=["vector_ip_ops"],
            ),
        ]

    def __str__(self) -> str:
        return f"{self.post_id} under {self.model_id}"


class PostProjection(models.Model):
    """What the tokens of a post have in common for everybody, under one version of the ranker.

    `changed_at` moves with every write, so that running servers can ask what is new.
    """

    model = models.ForeignKey(ModelVersion, models.CASCADE, related_name="projections", db_index=False)
    post_id = models.BigIntegerField()
    row = models.BinaryField(help_text="Little-endian float32 numbers, as many as the model is wide.")
    has_content = models.BooleanField(default=False, help_text="The content embedding was there.")
    changed_at = models.DateTimeField(default=clock.now)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["model", "post_id"], name="ranking_projection_unique")]
        indexes = [models.Index(fields=["model", "changed_at"], name="ranking_projection_changed")]

    def __str__(self) -> str:
        return f"{self.post_id} under {self.model_id}"

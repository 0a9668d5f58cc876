"""The registry of models: what is promoted, and changing it. Running servers look here for news."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from torch import Tensor

from ranking.models import ModelVersion
from ranking.phoenix import precision
from ranking.phoenix.npz import ArtifactError
from ranking.retrieval import indexer, projections
from ranking.serving import checkpoint as checkpoints
from ranking.serving.checkpoint import Checkpoint
from xsocial.kernel import clock
from xsocial.kernel.errors import Conflict, NotFound

# Checkpoints kept on disk per kind.
KEPT_FILES = 8
NAME_FORMAT = "{kind}-{moment:%Y%m%d-%H%M%S}-{tail:03d}"


def promoted(kind: str) -> ModelVersion | None:
    """The version of a kind that serves, if any."""
    return ModelVersion.objects.filter(kind=kind, status=ModelVersion.Status.PROMOTED).first()


def by_name(name: str) -> ModelVersion:
    """Raises NotFound."""
    version = ModelVersion.objects.filter(name=name).first()
    if version is None:
        raise NotFound(f"There is no model called {name}.")
    return version


def register(
    checkpoint: Checkpoint,
    *,
    training: dict[str, Any],
    metrics: dict[str, Any],
    parent: str | None = None,
    state: dict[str, Tensor] | None = None,
) -> ModelVersion:
    """Stores a trained model and enters it as a candidate.

    `parent` names the version whose training it goes on from; `state` is what a child goes on from.
    """
    kind = checkpoint.model.config.model_type
    tail = ModelVersion.objects.filter(kind=kind).count() + 1
    name = NAME_FORMAT.format(kind=kind, moment=clock.now(), tail=tail)
    digest = checkpoints.save(checkpoint, name, training_state=state)
    return ModelVersion.objects.create(
        kind=kind,
        name=name,
        path=name,
        config=checkpoint.model.config.to_dict(),
        training=training,
        metrics=metrics,
        artefact_hash=digest,
        parent=by_name(parent) if parent else None,
    )


def load(version: ModelVersion) -> Checkpoint:
    """The version's checkpoint, its hash verified; raises ArtifactError."""
    if not version.path:
        raise ArtifactError(f"{version.name}: its files were deleted to make room")
    return checkpoints.load(version.path, expected_hash=version.artefact_hash)


def training_state(version: ModelVersion) -> dict[str, Tensor]:
    """What training goes on from; raises NotFound for a version stored without it."""
    try:
        return checkpoints.load_training_state(version.path)
    except ArtifactError as error:
        raise NotFound(f"{version.name} cannot be trained on: {error}") from None


def promote(version: ModelVersion) -> ModelVersion:
    """Makes a version the one that serves; the former one is retired and can be promoted again.

    The checkpoint is read first, and what it makes of the posts (candidate vectors, projections) is written
    first, so that servers never meet a version they cannot use. Raises Conflict.
    """
    try:
        checkpoint = load(version)
    except ArtifactError as error:
        raise Conflict(f"{version.name} cannot be used: {error}") from None
    if version.kind == ModelVersion.Kind.RETRIEVAL:
        indexer.index_window(version.pk, checkpoint)
    else:
        # It answers once here, which also compiles what servers would else wait for.
        precision.choose(checkpoint.model, checkpoint.tables)
        projections.index_window(version.pk, checkpoint)
    with transaction.atomic():
        same_kind = ModelVersion.objects.select_for_update().filter(kind=version.kind)
        same_kind.filter(status=ModelVersion.Status.PROMOTED).exclude(pk=version.pk).update(
            status=ModelVersion.Status.RETIRED
        )
        version.status = ModelVersion.Status.PROMOTED
        version.promoted_at = clock.now()
        version.save(update_fields=["status", "promoted_at"])
    return version


def forget_files(kind: str, *, keep: int = KEPT_FILES) -> list[str]:
    """Deletes files, vectors and projections of all but the newest versions; the entries stay, with their figures.

    What serves, and the last one that served, are always kept. Returns the names.
    """
    old = ModelVersion.objects.filter(kind=kind).exclude(path="").order_by("-created_at", "-id")
    last = old.filter(status=ModelVersion.Status.RETIRED).order_by("-promoted_at").first()
    forgotten = []
    for version in old[keep:]:
        if version.status == ModelVersion.Status.PROMOTED or version == last:
            continue
        checkpoints.remove(version.path)
        version.vectors.all().delete()
        version.projections.all().delete()
        version.path = ""
        version.save(update_fields=["path"])
        forgotten.append(version.name)
    return forgotten


def withdraw(kind: str) -> ModelVersion:
    """Takes the serving version of a kind out of service, with none in its place: pages are in order of time
    until one is promoted. Raises NotFound when none serves."""
    version = promoted(kind)
    if version is None:
        raise NotFound(f"No {kind} model is promoted.")
    version.status = ModelVersion.Status.RETIRED
    version.save(update_fields=["status"])
    return version


def previous(kind: str) -> ModelVersion:
    """The version that served before the present one; raises NotFound."""
    version = (
        ModelVersion.objects.filter(kind=kind, status=ModelVersion.Status.RETIRED).order_by("-promoted_at").first()
    )
    if version is None:
        raise NotFound(f"No {kind} model served before.")
    return version

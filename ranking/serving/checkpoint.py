"""Checkpoints on disk: model, tables and calibration in one safetensors file beside its config.

The folder of a version lies below DATA_DIR/models and is never changed after it was written; an evaluation
only adds a folder of its figures and plots.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

import torch
from django.conf import settings
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from ranking.phoenix.artifacts import Model, empty_model, read_config
from ranking.phoenix.batch import ArrayTables, TrainableTables
from ranking.phoenix.npz import ArtifactError
from ranking.serving.calibration import Calibration

WEIGHTS = "model.safetensors"
CONFIG = "config.json"
TRAINING_STATE = "training.safetensors"
HASH_BLOCK = 1 << 20


@dataclass(frozen=True)
class Checkpoint:
    """A model with its tables and the calibration of its discrete heads."""

    model: Model
    tables: ArrayTables
    calibration: Calibration | None = None

    def calibrated(self, logits: Tensor) -> Tensor:
        """Logits after calibration; unchanged for a model without one."""
        return logits if self.calibration is None else self.calibration(logits)


def models_dir() -> Path:
    return Path(settings.DATA_DIR) / "models"


def in_memory(model: Model, tables: TrainableTables, calibration: Calibration | None = None) -> Checkpoint:
    """A checkpoint of a model that was just trained."""
    return Checkpoint(model.eval(), ArrayTables(tables.arrays(), model.config), calibration)


def save(checkpoint: Checkpoint, name: str, *, training_state: dict[str, Tensor] | None = None) -> str:
    """Writes the folder `name` at once or not at all; returns the SHA-256 of the weights.

    `training_state` is what a later training goes on from; serving never reads it.
    """
    folder = models_dir() / name
    folder.parent.mkdir(parents=True, exist_ok=True)
    draft = Path(tempfile.mkdtemp(prefix=".writing-", dir=folder.parent))
    tensors = {f"model.{k}": v.detach().contiguous() for k, v in checkpoint.model.state_dict().items()}
    for entity, table in checkpoint.tables.arrays.items():
        tensors[f"tables.{entity}"] = torch.from_numpy(table).contiguous()
    if checkpoint.calibration is not None:
        tensors["calibration.x"], tensors["calibration.y"] = checkpoint.calibration.x, checkpoint.calibration.y
    save_file(tensors, draft / WEIGHTS)
    if training_state is not None:
        save_file({k: v.detach().contiguous() for k, v in training_state.items()}, draft / TRAINING_STATE)
    (draft / CONFIG).write_text(json.dumps(checkpoint.model.config.to_dict(), indent=1) + "\n")
    digest = file_hash(draft / WEIGHTS)
    draft.chmod(0o755)
    if folder.exists():
        shutil.rmtree(folder)
    os.replace(draft, folder)
    return digest


def remove(name: str) -> None:
    """Deletes a version's folder."""
    shutil.rmtree(models_dir() / name, ignore_errors=True)


def file_hash(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(HASH_BLOCK):
            digest.update(block)
    return digest.hexdigest()


def load_training_state(name: str) -> dict[str, Tensor]:
    """The state of training stored with a version; raises ArtifactError."""
    return _tensors(models_dir() / name / TRAINING_STATE)


def _tensors(path: Path) -> dict[str, Tensor]:
    if not path.is_file():
        raise ArtifactError(f"{path}: no such file")
    try:
        return load_file(path)
    except (SafetensorError, OSError) as error:
        raise ArtifactError(f"{path}: not readable ({error})") from None


def load(name: str, *, expected_hash: str | None = None) -> Checkpoint:
    """Reads a version's folder; raises ArtifactError when it is missing, damaged or another one."""
    folder = models_dir() / name
    config = read_config(folder)
    path = folder / WEIGHTS
    if expected_hash and path.is_file() and file_hash(path) != expected_hash:
        raise ArtifactError(f"{path}: is not the file that was registered")
    tensors = _tensors(path)
    model = empty_model(config)
    state = {k.removeprefix("model."): v for k, v in tensors.items() if k.startswith("model.")}
    try:
        model.load_state_dict(state, assign=True)
    except RuntimeError as error:
        raise ArtifactError(f"{path}: does not fit its config ({error})") from None
    tables = {
        entity: tensors[f"tables.{entity}"].numpy()
        for entity in ("user", "item", "author")
        if f"tables.{entity}" in tensors
    }
    if len(tables) != 3:
        raise ArtifactError(f"{path}: embedding tables are missing")
    knots = [tensors[name] for name in ("calibration.x", "calibration.y") if name in tensors]
    return Checkpoint(model.eval(), ArrayTables(tables, config), Calibration(*knots) if len(knots) == 2 else None)

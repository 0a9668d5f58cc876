"""What an evaluation leaves beside a checkpoint: a file of figures and some plots."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from ranking.models import ModelVersion
from ranking.serving import checkpoint as checkpoints

FIGURES = "figures.json"


def folder(version: ModelVersion) -> Path:
    """Where they lie; made by the first evaluation."""
    return checkpoints.models_dir() / version.path / "evaluation"


def plot(version: ModelVersion, name: str) -> Path | None:
    """The picture of that name, if it was drawn."""
    path = folder(version) / f"{name}.png"
    return path if path.is_file() else None


def evaluation(version: ModelVersion) -> dict[str, Any] | None:
    """The figures of the latest evaluation, if there was one."""
    path = folder(version) / FIGURES
    return json.loads(path.read_text()) if path.is_file() else None

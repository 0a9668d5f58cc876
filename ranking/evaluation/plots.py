"""Pictures of a report: reliability and AUC per head, slices, and the loss of the training."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

NAMES = ("reliability", "auc", "slices", "loss")
COLUMNS = 5
INK, SOFT = "#1d6fb8", "#9aa4ad"


def draw(figures: dict[str, Any], training: dict[str, Any], folder: Path) -> list[Path]:
    """Writes one PNG per name for which there is something to show."""
    pictures = {
        "reliability": _reliability(figures["heads"]),
        "auc": _auc(figures["heads"]),
        "slices": _slices(figures["slices"]),
        "loss": _loss(training.get("loss_curve", [])),
    }
    written = []
    for name, picture in pictures.items():
        path = folder / f"{name}.png"
        if picture is None:
            path.unlink(missing_ok=True)
        else:
            picture.savefig(path, dpi=100)
            written.append(path)
    return written


def _grid(count: int) -> tuple[Figure, list[Axes]]:
    rows = -(-count // COLUMNS)
    picture = Figure(figsize=(2.2 * COLUMNS, 2.2 * rows), layout="constrained")
    return picture, list(np.atleast_1d(picture.subplots(rows, COLUMNS, squeeze=False)).ravel())


def _reliability(heads: dict[str, Any]) -> Figure | None:
    """Predicted against observed share, bins of equal size; on the diagonal is calibrated."""
    known = {head: value for head, value in heads.items() if value["rate"] > 0}
    if not known:
        return None
    picture, axes = _grid(len(known))
    for axis, (head, value) in zip(axes, known.items(), strict=False):
        bins = np.array(value["reliability"])
        top = max(float(bins[:, 1:].max()), 1e-4) * 1.05
        axis.plot([0, top], [0, top], color=SOFT, linewidth=1)
        axis.plot(bins[:, 1], bins[:, 2], "o-", color=INK, markersize=3, linewidth=1)
        axis.set_title(f"{head}  ECE {value['ece']:.4f}", fontsize=7)
        axis.tick_params(labelsize=6)
    for axis in axes[len(known) :]:
        axis.set_visible(False)
    picture.supxlabel("predicted", fontsize=8)
    picture.supylabel("observed", fontsize=8)
    return picture


def _auc(heads: dict[str, Any]) -> Figure | None:
    known = {head: value["auc"] for head, value in heads.items() if value["auc"] is not None}
    if not known:
        return None
    picture = Figure(figsize=(7, 0.28 * len(known) + 1), layout="constrained")
    axis = picture.subplots()
    axis.barh(list(known), list(known.values()), color=INK)
    axis.axvline(0.5, color=SOFT, linewidth=1)
    axis.set_xlim(0, 1)
    axis.invert_yaxis()
    axis.tick_params(labelsize=8)
    axis.set_xlabel("AUC", fontsize=8)
    return picture


def _slices(slices: dict[str, Any]) -> Figure:
    """NDCG@10 of each slice, with its size."""
    picture = Figure(figsize=(8, 3), layout="constrained")
    for axis, (name, parts) in zip(picture.subplots(1, len(slices), squeeze=False)[0], slices.items(), strict=True):
        labels = [f"{label}\n{part['impressions']}" for label, part in parts.items()]
        axis.bar(labels, [part["ndcg@10"] or 0.0 for part in parts.values()], color=INK)
        axis.set_title(f"NDCG@10 by {name} (posts shown below)", fontsize=8)
        axis.tick_params(labelsize=7)
    return picture


def _loss(losses: list[float]) -> Figure | None:
    if not losses:
        return None
    picture = Figure(figsize=(7, 3), layout="constrained")
    axis = picture.subplots()
    axis.plot(np.linspace(0, 100, len(losses)), losses, color=INK, linewidth=1)
    axis.set_xlabel("% of the training", fontsize=8)
    axis.set_ylabel("loss", fontsize=8)
    axis.tick_params(labelsize=7)
    return picture

"""Figures of parts of the page loads: by how much is known of the viewer, and by the age of the post."""

from __future__ import annotations

from typing import Any

import numpy as np

from ranking.phoenix.config import PhoenixConfig
from ranking.training import metrics
from ranking.training.dataset import Dataset, Examples
from ranking.training.evaluate import like_labels, page_values
from ranking.types import Bools, Floats, Int64s

MINUTE_MS = 60_000
FRESH = "under 1 h"
# Name and smallest value that belongs to it, rising.
HISTORY_LENGTHS = (("none", 0), ("1 to 9", 1), ("10 to 49", 10), ("50 and more", 50))
AGES_MINUTES = ((FRESH, 0), ("1 to 6 h", 60), ("6 to 24 h", 360), ("over a day", 1440))


def age_minutes(dataset: Dataset, examples: Examples) -> Int64s:
    """Age of each post when it was shown, [R, C]."""
    created = dataset.posts.created_ms[np.maximum(examples.posts, 0)]
    return np.maximum(examples.impression_ms - created, 0) // MINUTE_MS


def by_slice(dataset: Dataset, examples: Examples, scores: Floats, config: PhoenixConfig) -> dict[str, Any]:
    """Posts shown, NDCG@10 of value, AUC and rate of likes in each slice."""
    length = (examples.history >= 0).sum(axis=1)[:, None]
    found = {}
    for name, edges, of in (
        ("history", HISTORY_LENGTHS, np.broadcast_to(length, examples.posts.shape)),
        ("age", AGES_MINUTES, age_minutes(dataset, examples)),
    ):
        masks = _masks(edges, of)
        found[name] = {label: _figures(examples, scores, config, mask) for label, mask in masks.items()}
    return found


def _masks(edges: tuple[tuple[str, int], ...], values: Int64s) -> dict[str, Bools]:
    place = np.searchsorted([least for _, least in edges], values, side="right") - 1
    return {label: place == number for number, (label, _) in enumerate(edges)}


def _figures(examples: Examples, scores: Floats, config: PhoenixConfig, mask: Bools) -> dict[str, Any]:
    inside = examples.valid & mask
    liked = like_labels(examples, config)
    return {
        "impressions": int(inside.sum()),
        "ndcg@10": metrics.ndcg(scores, page_values(examples, config), inside),
        "auc_favorite": metrics.auc(scores[inside], liked[inside]),
        "rate_favorite": float(liked[inside].mean()) if inside.any() else None,
    }

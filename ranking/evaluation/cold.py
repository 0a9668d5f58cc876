"""What the content is worth where little else is known of a post: under an hour old, or without any engagement.

Both models are asked twice, the second time as if no post had a content embedding. Every figure is
[value, low, high] with the 95 % interval of page loads drawn again with replacement; a gain is the difference
of the two answers in the same draws.
"""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import numpy.typing as npt

from ranking.evaluation.slices import age_minutes
from ranking.training.dataset import Dataset, Examples
from ranking.types import Bools, Int64s

COUNTS = ("log_favorites", "log_replies", "log_reposts", "log_quotes")
DRAWS = 1000
FRESH_MINUTES = 60

Figure = list[float] | None
Array = npt.NDArray[np.floating]


def masks(dataset: Dataset, examples: Examples, feature_names: tuple[str, ...]) -> dict[str, Bools]:
    """The posts shown of which little was known then, [R, C], by the name of the slice."""
    counts = [examples.features[..., feature_names.index(name)] for name in COUNTS]
    return {
        "under one hour old": examples.valid & (age_minutes(dataset, examples) < FRESH_MINUTES),
        "no engagement yet": examples.valid & (np.sum(counts, axis=0) == 0),
    }


def without_content(dataset: Dataset) -> Dataset:
    """The same posts as if none had a content embedding."""
    posts = dataclasses.replace(dataset.posts, content=np.zeros_like(dataset.posts.content))
    return dataclasses.replace(dataset, posts=posts)


def without_likeness(examples: Examples, feature_names: tuple[str, ...]) -> Examples:
    """The same examples without the features that come from content."""
    features = examples.features.copy()
    for number, name in enumerate(feature_names):
        if name in ("has_content", "interest") or name.startswith("similarity_"):
            features[..., number] = 0.0
    return dataclasses.replace(examples, features=features)


def compared(name: str, found: Array, bare: Array, size: Array) -> dict[str, Figure]:
    """Sum of `found` over sum of `size`, the same for `bare`, and the gain; one entry per page load each."""
    if not size.sum():
        return dict.fromkeys((name, f"{name}_without_content", "gain"))
    drawn = np.random.default_rng(0).multinomial(len(size), np.full(len(size), 1 / len(size)), DRAWS)
    sizes = np.maximum(drawn @ size, 1e-9)

    def figure(values: Array) -> Figure:
        low, high = np.percentile(drawn @ values / sizes, [2.5, 97.5])
        return [float(values.sum() / size.sum()), float(low), float(high)]

    return {name: figure(found), f"{name}_without_content": figure(bare), "gain": figure(found - bare)}


def recall(requests: Int64s, ranks: Int64s, bare: Int64s, inside: Bools, *, k: int) -> dict[str, Any]:
    """Recall of the likes `inside` a slice among the first k, by the request and the two ranks of each like."""
    _, request = np.unique(requests[inside], return_inverse=True)
    size = np.bincount(request).astype(float)
    hits = (np.bincount(request, weights=of[inside] < k) for of in (ranks, bare))
    return {"likes": int(inside.sum()), **compared(f"recall@{k}", *hits, size)}

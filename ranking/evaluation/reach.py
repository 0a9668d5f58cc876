"""Who gets seen: how many posts and authors the first places of all page loads go to."""

from __future__ import annotations

from typing import Any

import numpy as np

from ranking.training import metrics
from ranking.training.dataset import Dataset, Examples, is_new_author
from ranking.training.evaluate import Orders
from ranking.types import Bools, Int64s

PLACES = 10


def reach(dataset: Dataset, examples: Examples, compared: Orders) -> dict[str, Any]:
    """Of each order: coverage of the posts shown, Gini of the authors, share of authors new to the viewer."""
    return {
        name: _reach(dataset, examples, metrics.top(scores, examples.valid & np.isfinite(scores), k=PLACES))
        for name, scores in compared.items()
    }


def _reach(dataset: Dataset, examples: Examples, is_first: Bools) -> dict[str, float | None]:
    authors = _authors(dataset, examples)
    everyone, number = np.unique(authors[examples.valid], return_inverse=True)
    places = np.bincount(number[is_first[examples.valid]], minlength=len(everyone))
    total = len(np.unique(examples.posts[examples.valid]))
    return {
        "coverage@10": len(np.unique(examples.posts[is_first])) / max(total, 1),
        "author_gini@10": metrics.gini(places),
        "new_author_share@10": float(is_new_author(dataset, examples)[is_first].mean()) if is_first.any() else None,
    }


def _authors(dataset: Dataset, examples: Examples) -> Int64s:
    return dataset.posts.author_ids[np.maximum(examples.posts, 0)]

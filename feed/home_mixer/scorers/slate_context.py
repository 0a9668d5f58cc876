"""Where each candidate stands in the pool, and how much of the same stands before it.

Logged with rankings, so that models can learn what repetition does. Semantic prefixes of one to
three levels are compared: two posts of one prefix say alike things, coarsely to finely.
"""

from __future__ import annotations

import numpy as np

from feed.home_mixer.candidate import SEMANTIC_PREFIXES
from feed.home_mixer.scorers import value_model

CODE_BITS = 20


def context(base: np.ndarray, authors: np.ndarray, semantic_id: np.ndarray) -> dict[str, np.ndarray]:
    """Columns of the slate context for a pool scored ``base``, before diversity."""
    order = np.argsort(-base, kind="stable")
    rank = np.empty(len(order), np.int64)
    rank[order] = np.arange(len(order))
    prefixes = semantic_prefixes(semantic_id)
    parts = [value_model.repeats(prefixes[:, level], order) for level in range(SEMANTIC_PREFIXES)]
    known = semantic_id[:, 0] >= 0
    return {
        "pool_rank": rank,
        "author_gap": value_model.repeats(authors, order)[1],
        "semantic_counts": np.stack([np.where(known, count, 0) for count, _ in parts], axis=1),
        "semantic_gaps": np.stack([np.where(known, gap, -1) for _, gap in parts], axis=1),
    }


def semantic_prefixes(semantic_id: np.ndarray) -> np.ndarray:
    """Prefixes of 1, 2, 3 levels: the one before shifted by 20 bits, and the level's code."""
    prefixes = np.zeros((len(semantic_id), SEMANTIC_PREFIXES), np.int64)
    so_far = np.zeros(len(semantic_id), np.int64)
    for level in range(SEMANTIC_PREFIXES):
        so_far = (so_far << CODE_BITS) | (semantic_id[:, level] & ((1 << CODE_BITS) - 1))
        prefixes[:, level] = so_far
    return prefixes

"""Spacing within a slate: at most a few posts of an author near the top, no two alike in a row.

A community proposal upstream; off by default. Nothing is lost: what is passed over comes later.
"""

from __future__ import annotations

import numpy as np

from feed.candidate_pipeline import Batch
from feed.home_mixer.candidate import original_authors
from feed.home_mixer.params import Params


def order(batch: Batch, ranked: np.ndarray, size: int, params: Params) -> np.ndarray:
    """Row numbers in slate order: the chosen ``size`` first, then the rest as ranked."""
    authors = [set(pair) for pair in zip(original_authors(batch).tolist(), batch["author_id"].tolist(), strict=True)]
    meaning = [tuple(codes) if codes[0] >= 0 else None for codes in batch["semantic_id"].tolist()]
    left, chosen = ranked.tolist(), []
    counts: dict[int, int] = {}
    while left and len(chosen) < size:
        caps = len(chosen) < params.slate_author_window
        row = _next(left[: params.slate_lookahead], chosen, authors, meaning, counts if caps else {}, params)
        left.remove(row)
        chosen.append(row)
        for author in authors[row] if caps else ():
            counts[author] = counts.get(author, 0) + 1
    return np.array(chosen + left, np.int64)


def _next(
    window: list[int],
    chosen: list[int],
    authors: list[set[int]],
    meaning: list[tuple[int, ...] | None],
    counts: dict[int, int],
    params: Params,
) -> int:
    """The first that keeps both rules, else the first that keeps the authors', else the first."""
    fitting = [row for row in window if all(counts.get(a, 0) < params.slate_max_per_author for a in authors[row])]
    last = meaning[chosen[-1]] if chosen and params.slate_semantic else None
    distinct = [row for row in fitting if last is None or meaning[row] != last]
    return next(iter(distinct or fitting or window))

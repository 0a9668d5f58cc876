"""The last word on scores: a diverse selection of the best candidates keeps its own, the rest get none."""

from functools import lru_cache
from typing import Any

import numpy as np

from feed.candidate_pipeline import Batch, Scorer
from feed.home_mixer.candidate import original_ids
from feed.home_mixer.query import ScoredPostsQuery
from feed.home_mixer.scorers import dpp
from ranking import services as ranking

POOL = 100  # the service's own pool, where a request names none


class VMRanker(Scorer):
    """The published value-model service with its model "dpp", in this process.

    When it fails every candidate keeps the score it has.
    """

    reads = ("score", "post_id", "repost_of_id", "heads")
    writes = ("score", "vm_factor")

    def enabled(self, query: ScoredPostsQuery) -> bool:
        """By parameter."""
        return query.params.enable_vm_ranker

    def score(self, query: ScoredPostsQuery, batch: Batch) -> dict[str, Any]:
        """One matrix of likeness over the pool; embeddings come from memory. A page by time stays by time."""
        params, scores = query.params, batch["score"]
        factor = np.ones(batch.n)
        pool = self._pool(scores, params.dpp_max_rank or POOL)
        if len(pool) and np.isfinite(batch["heads"]).any():
            vectors = embeddings(original_ids(batch)[pool])
            keep = dpp.keeps_score(scores[pool], vectors, theta=params.dpp_theta, top_k=params.dpp_top_k)
            factor = np.zeros(batch.n)
            factor[pool[keep]] = 1.0
        return {"score": np.where(np.isnan(scores), scores, scores * factor), "vm_factor": factor}

    def _pool(self, scores: np.ndarray, size: int) -> np.ndarray:
        """Rows with a score, best first, ties in order."""
        order = np.argsort(-np.nan_to_num(scores, nan=-np.inf), kind="stable")
        return order[~np.isnan(scores[order])][:size]


def embeddings(post_ids: np.ndarray) -> np.ndarray:
    """Content vectors; a post without one gets a unit vector drawn from its id, like nothing else."""
    vectors = ranking.content_vectors(post_ids).astype(np.float64)
    for row in np.flatnonzero(~vectors.any(axis=1)).tolist():
        vectors[row] = _drawn(int(post_ids[row]), vectors.shape[1])
    return vectors


@lru_cache(maxsize=4096)  # 12 MB; drawing the vectors of a page took as long as all the rest here
def _drawn(post_id: int, size: int) -> np.ndarray:
    vector = np.random.default_rng(post_id).normal(size=size)
    return vector / np.linalg.norm(vector)

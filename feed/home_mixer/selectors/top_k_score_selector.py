"""The best by score, with a few more than a page needs, for what visibility takes out."""

import numpy as np

from feed.candidate_pipeline import Batch, Selector
from feed.home_mixer.query import ScoredPostsQuery


class TopKScoreSelector(Selector):
    """Highest score first; ties keep source order."""

    reads = ("score",)

    def size(self, query: ScoredPostsQuery) -> int:
        """Fifty by default, of which thirty-five are shown."""
        return query.params.top_k

    def scores(self, query: ScoredPostsQuery, batch: Batch) -> np.ndarray:
        """The ranking score."""
        return batch["score"]

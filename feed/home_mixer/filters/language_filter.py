"""Ours: drops strangers' posts in languages that the viewer does not read."""

import numpy as np

from feed.candidate_pipeline import Batch, Filter
from feed.home_mixer.candidate import YES
from feed.home_mixer.query import ScoredPostsQuery


class LanguageFilter(Filter):
    """Ours: drops strangers' posts in languages that the viewer does not read; an unknown one may be any."""

    reads = ("in_network", "language")

    def enabled(self, query: ScoredPostsQuery) -> bool:
        """Only for viewers who chose languages."""
        return bool(query.viewer.languages)

    def keep(self, query: ScoredPostsQuery, batch: Batch) -> np.ndarray:
        """A mask over the rows. A variety (`pt-BR`) counts as its language."""
        spoken, of = np.unique(batch["language"].astype(str), return_inverse=True)
        readable = {"", *query.viewer.languages}
        return (batch["in_network"] == YES) | np.array([code.partition("-")[0] in readable for code in spoken])[of]

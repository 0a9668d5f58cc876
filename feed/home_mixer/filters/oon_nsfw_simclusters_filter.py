"""Drops strangers' adult authors among what the community source found."""

import numpy as np

from feed.candidate_pipeline import Batch, Filter
from feed.home_mixer import served_types
from feed.home_mixer.candidate import NO, YES
from feed.home_mixer.query import ScoredPostsQuery


class OONNsfwSimclustersFilter(Filter):
    """Communities of adult authors recommend each other; who wants them follows them."""

    reads = ("served_type", "in_network", "author_is_adult")

    def enabled(self, query: ScoredPostsQuery) -> bool:
        """With the source it watches."""
        return query.params.enable_simclusters

    def keep(self, query: ScoredPostsQuery, batch: Batch) -> np.ndarray:
        """A mask over the rows."""
        found = batch["served_type"] == served_types.SIMCLUSTERS
        return ~(found & (batch["in_network"] == NO) & (batch["author_is_adult"] == YES))

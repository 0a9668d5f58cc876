"""Drops candidates whose author is unknown."""

import numpy as np

from feed.candidate_pipeline import Batch, Filter
from feed.home_mixer.query import ScoredPostsQuery


class CoreDataHydrationFilter(Filter):
    """Drops candidates whose author is unknown."""

    reads = ("author_id",)

    def keep(self, query: ScoredPostsQuery, batch: Batch) -> np.ndarray:
        """A mask over the rows."""
        return batch["author_id"] != 0

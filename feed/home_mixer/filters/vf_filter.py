"""Drops posts with a dropping visibility verdict."""

import numpy as np

from feed.candidate_pipeline import Batch, Filter
from feed.home_mixer.candidate import YES
from feed.home_mixer.query import ScoredPostsQuery


class VFFilter(Filter):
    """Drops posts with a dropping visibility verdict."""

    reads = ("is_dropped",)
    keeps_on_fault = False

    def keep(self, query: ScoredPostsQuery, batch: Batch) -> np.ndarray:
        """A mask over the rows."""
        return batch["is_dropped"] != YES

"""An original and its reposts share one place; the first wins."""

import numpy as np

from feed.candidate_pipeline import Batch, Filter
from feed.home_mixer.arrays import first_of
from feed.home_mixer.candidate import original_ids
from feed.home_mixer.query import ScoredPostsQuery


class RetweetDeduplicationFilter(Filter):
    """An original and its reposts share one place; the first wins."""

    reads = ("post_id", "repost_of_id")

    def keep(self, query: ScoredPostsQuery, batch: Batch) -> np.ndarray:
        """A mask over the rows."""
        return first_of(original_ids(batch))

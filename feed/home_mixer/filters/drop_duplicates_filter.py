"""The first candidate of a post id wins, so source order decides where it came from."""

import numpy as np

from feed.candidate_pipeline import Batch, Filter
from feed.home_mixer.arrays import first_of
from feed.home_mixer.query import ScoredPostsQuery


class DropDuplicatesFilter(Filter):
    """The first candidate of a post id wins, so source order decides where it came from."""

    reads = ("post_id",)

    def keep(self, query: ScoredPostsQuery, batch: Batch) -> np.ndarray:
        """A mask over the rows."""
        return first_of(batch["post_id"])

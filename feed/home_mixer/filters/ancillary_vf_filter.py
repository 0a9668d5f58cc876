"""Drops posts whose ancestor, quoted or reposted post would be dropped."""

import numpy as np

from feed.candidate_pipeline import Batch, Filter
from feed.home_mixer.candidate import YES
from feed.home_mixer.query import ScoredPostsQuery


class AncillaryVFFilter(Filter):
    """Drops posts whose ancestor, quoted or reposted post would be dropped."""

    reads = ("drop_ancillary",)
    keeps_on_fault = False

    def keep(self, query: ScoredPostsQuery, batch: Batch) -> np.ndarray:
        """A mask over the rows."""
        return batch["drop_ancillary"] != YES

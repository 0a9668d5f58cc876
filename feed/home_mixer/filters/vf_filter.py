"""Drops posts that visibility drops."""

import numpy as np

from feed.candidate_pipeline import Batch, Filter
from feed.home_mixer.candidate import UNKNOWN, YES
from feed.home_mixer.query import ScoredPostsQuery


class VFFilter(Filter):
    """Without a verdict the followed stay, as published; a recommendation needs one (ours)."""

    reads = ("is_dropped", "in_network")
    keeps_on_fault = False

    def keep(self, query: ScoredPostsQuery, batch: Batch) -> np.ndarray:
        """A mask over the rows."""
        unjudged_stranger = (batch["is_dropped"] == UNKNOWN) & (batch["in_network"] != YES)
        return (batch["is_dropped"] != YES) & ~unjudged_stranger

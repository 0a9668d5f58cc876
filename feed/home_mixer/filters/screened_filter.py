"""Ours: drops strangers' posts that nobody has screened yet."""

import numpy as np

from feed.candidate_pipeline import Batch, Filter
from feed.home_mixer.candidate import YES
from feed.home_mixer.query import ScoredPostsQuery


class ScreenedFilter(Filter):
    """Ours: drops strangers' posts that nobody has screened yet; not knowing counts as not screened."""

    reads = ("in_network", "screened")

    def enabled(self, query: ScoredPostsQuery) -> bool:
        """Not for viewers who opted in, nor where nothing is held back."""
        return query.holds_unscreened

    def keep(self, query: ScoredPostsQuery, batch: Batch) -> np.ndarray:
        """A mask over the rows."""
        return (batch["in_network"] == YES) | (batch["screened"] == YES)

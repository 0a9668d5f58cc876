"""Drops what the impression log says was seen."""

import numpy as np

from feed.candidate_pipeline import Batch, Filter
from feed.home_mixer.candidate import any_related_in
from feed.home_mixer.query import ScoredPostsQuery


class PreviouslySeenPostsBackupFilter(Filter):
    """Drops what the impression log says was seen."""

    reads = ("post_id", "repost_of_id", "in_reply_to_id")

    def keep(self, query: ScoredPostsQuery, batch: Batch) -> np.ndarray:
        """A mask over the rows."""
        return ~any_related_in(batch, query.impressed_post_ids)

"""Drops the viewer's own posts; a friend's repost of one stays."""

import numpy as np

from feed.candidate_pipeline import Batch, Filter
from feed.home_mixer.query import ScoredPostsQuery


class SelfTweetFilter(Filter):
    """Drops the viewer's own posts; a friend's repost of one stays."""

    reads = ("author_id",)

    def keep(self, query: ScoredPostsQuery, batch: Batch) -> np.ndarray:
        """A mask over the rows."""
        return batch["author_id"] != query.user_id

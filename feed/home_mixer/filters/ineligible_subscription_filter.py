"""Drops subscriber-only posts of authors the viewer does not subscribe to."""

import numpy as np

from feed.candidate_pipeline import Batch, Filter
from feed.home_mixer.arrays import among
from feed.home_mixer.query import ScoredPostsQuery


class IneligibleSubscriptionFilter(Filter):
    """Drops subscriber-only posts of authors the viewer does not subscribe to."""

    reads = ("subscription_author_id",)
    keeps_on_fault = False

    def keep(self, query: ScoredPostsQuery, batch: Batch) -> np.ndarray:
        """A mask over the rows."""
        author = batch["subscription_author_id"]
        return (author == 0) | (author == query.user_id) | among(author, query.subscribed_user_ids)

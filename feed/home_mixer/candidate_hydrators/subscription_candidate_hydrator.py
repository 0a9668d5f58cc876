"""The author one must subscribe to, for posts that only subscribers may read."""

from typing import Any

import numpy as np

from feed.candidate_pipeline import Batch
from feed.home_mixer import post_rows
from feed.home_mixer.candidate_hydrators._fresh import FreshHydrator
from feed.home_mixer.query import ScoredPostsQuery


class SubscriptionCandidateHydrator(FreshHydrator):
    """0 for posts open to everybody; a repost asks for the original's author."""

    reads = ("post_id", "repost_of_id")
    writes = ("subscription_author_id",)

    def hydrate(self, query: ScoredPostsQuery, batch: Batch) -> dict[str, Any]:
        """Shared post rows."""
        rows = post_rows.of_originals(query.memo, batch)
        return {"subscription_author_id": np.where(rows.subscribers_only, rows.author_id, 0)}

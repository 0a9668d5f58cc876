"""Drops what is older than the age limit; a repost has the age of the repost."""

import numpy as np

from feed.candidate_pipeline import Batch, Filter
from feed.home_mixer.query import ScoredPostsQuery
from xsocial.kernel import ids


class AgeFilter(Filter):
    """Drops what is older than the age limit; a repost has the age of the repost."""

    reads = ("post_id",)

    def keep(self, query: ScoredPostsQuery, batch: Batch) -> np.ndarray:
        """A mask over the rows."""
        age_ms = query.now_ms - ids.timestamp_ms(batch["post_id"])
        return (batch["post_id"] > 0) & (age_ms <= 1_000 * query.params.max_post_age_s)

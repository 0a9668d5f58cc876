"""Drops what the client says was seen, and what an impression filter may contain."""

import numpy as np

from feed.candidate_pipeline import Batch, Filter
from feed.home_mixer.candidate import any_related_in, related_ids
from feed.home_mixer.query import ScoredPostsQuery


class PreviouslySeenPostsFilter(Filter):
    """Drops what the client says was seen, and what an impression filter may contain."""

    reads = ("post_id", "repost_of_id", "in_reply_to_id")

    def keep(self, query: ScoredPostsQuery, batch: Batch) -> np.ndarray:
        """A mask over the rows."""
        seen = any_related_in(batch, query.seen_ids)
        for column in related_ids(batch) if query.bloom_filters else ():
            for entry in query.bloom_filters:
                seen |= entry.contains(column)
        return ~seen

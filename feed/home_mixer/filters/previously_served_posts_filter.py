"""Drops what was on a page a moment ago; a reply goes with its served parent."""

import numpy as np

from feed.candidate_pipeline import Batch, Filter
from feed.home_mixer.candidate import any_related_in
from feed.home_mixer.query import ScoredPostsQuery


class PreviouslyServedPostsFilter(Filter):
    """Drops what was on a page a moment ago; a reply goes with its served parent."""

    reads = ("post_id", "repost_of_id", "in_reply_to_id")

    def enabled(self, query: ScoredPostsQuery) -> bool:
        """On every request by default; otherwise on "load more"."""
        if query.allows_reexposure:
            return False  # another filter counts how often
        loads_more = query.is_bottom_request and query.request_context != "foreground_truncate"
        return query.params.filter_served_always or loads_more

    def keep(self, query: ScoredPostsQuery, batch: Batch) -> np.ndarray:
        """A mask over the rows."""
        return ~any_related_in(batch, query.served_ids)

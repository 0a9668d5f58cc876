"""Drops accounts that an outside rule excludes from recommendations, unless the viewer follows them."""

import numpy as np

from feed.candidate_pipeline import Batch, Filter
from feed.home_mixer.arrays import among
from feed.home_mixer.query import ScoredPostsQuery


class PolicyExclusionFilter(Filter):
    """Reaches through reposts, quotes and answers. Ads are not candidates and so are exempt."""

    reads = ("author_id", "repost_of_user_id", "quote_of_user_id", "ancestor_authors")
    keeps_on_fault = False

    def enabled(self, query: ScoredPostsQuery) -> bool:
        """Only while somebody is listed."""
        return len(query.policy_excluded_ids) > 0

    def keep(self, query: ScoredPostsQuery, batch: Batch) -> np.ndarray:
        """A mask over the rows."""
        hidden = np.setdiff1d(query.policy_excluded_ids, query.followed_user_ids)
        hit = np.zeros(batch.n, bool)
        for column in ("author_id", "repost_of_user_id", "quote_of_user_id"):
            hit |= among(batch[column], hidden)
        listed = set(hidden.tolist())
        hit |= np.array([not listed.isdisjoint(authors or ()) for authors in batch["ancestor_authors"]], bool)
        return ~hit

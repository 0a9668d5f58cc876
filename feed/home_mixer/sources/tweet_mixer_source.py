"""Popular recent posts, for viewers whose network is still thin."""

import numpy as np

from feed.candidate_pipeline import Batch, Source
from feed.home_mixer import popular, retrieval, served_types
from feed.home_mixer.query import ScoredPostsQuery


class TweetMixerSource(Source):
    """A second recommender beside Phoenix: what many like now."""

    writes = retrieval.WRITES

    def enabled(self, query: ScoredPostsQuery) -> bool:
        """Only while the viewer follows few, and never for in-network or cached requests."""
        thin = len(query.followed_user_ids) < query.params.popular_below_follows
        return query.params.enable_popular and thin and retrieval.is_open(query)

    def fetch(self, query: ScoredPostsQuery) -> Batch:
        """One round trip to Valkey, and one query for the posts' rows."""
        oldest = query.now_ms - 1_000 * query.params.max_post_age_s
        ranked = popular.newer_than(oldest, limit=query.params.popular_max_results)
        ranked = ranked[~np.isin(ranked, query.seen_ids)]
        return retrieval.recommended(query, ranked, np.full(len(ranked), np.nan), served_types.POPULAR)

"""Keeps this page's candidates for the next one."""

import numpy as np

from feed.candidate_pipeline import Batch, Result, SideEffect
from feed.home_mixer import candidate_cache
from feed.home_mixer.query import ScoredPostsQuery


class RedisPostCandidateCacheSideEffect(SideEffect):
    """The best candidates by weighted score, served or not, for three minutes."""

    def enabled(self, query: ScoredPostsQuery) -> bool:
        """Only fresh candidates: a replayed cache is not prolonged."""
        return query.params.enable_cached_posts and not query.has_cached_posts

    def run(self, result: Result) -> None:
        """One write; nothing when there are too few to be of use."""
        params = result.query.params
        pool = Batch.concat(result.selected.schema, (result.selected, result.non_selected))
        worth = np.nan_to_num(pool["weighted_score"], nan=0.0)
        best = np.argsort(-worth, kind="stable")
        best = best[worth[best] > 0][: params.max_posts_to_cache]
        if len(best) >= params.cached_posts_threshold:
            candidate_cache.store(result.query.cache_key, pool.take(best), ttl_s=params.cache_ttl_s)

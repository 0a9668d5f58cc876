"""Candidates of the page before, scored already: the next page needs no retrieval and no model."""

from typing import Any

from feed.candidate_pipeline import QueryHydrator
from feed.home_mixer import candidate_cache
from feed.home_mixer.query import ScoredPostsQuery


class CachedPostsQueryHydrator(QueryHydrator):
    """The stored candidates, usable only when there are enough of them."""

    writes = ("cached_posts", "has_cached_posts")

    def enabled(self, query: ScoredPostsQuery) -> bool:
        """Only when caching is on."""
        return query.params.enable_cached_posts

    def hydrate(self, query: ScoredPostsQuery) -> dict[str, Any]:
        """One round trip to Valkey."""
        batch = candidate_cache.load(query.cache_key)
        if batch is None:
            return {}
        return {"cached_posts": batch, "has_cached_posts": batch.n >= query.params.cached_posts_threshold}

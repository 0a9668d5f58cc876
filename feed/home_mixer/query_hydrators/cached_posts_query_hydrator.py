"""Candidates of the page before, scored already: the next page needs no retrieval and no model."""

from typing import Any

from feed.candidate_pipeline import QueryHydrator
from feed.home_mixer import candidate_cache
from feed.home_mixer.query import ScoredPostsQuery
from ranking import services as ranking


class CachedPostsQueryHydrator(QueryHydrator):
    """The stored candidates, usable when there are enough of them and the model that judged them serves still."""

    writes = ("cached_posts", "has_cached_posts")

    def enabled(self, query: ScoredPostsQuery) -> bool:
        """Only when caching is on."""
        return query.params.enable_cached_posts

    def hydrate(self, query: ScoredPostsQuery) -> dict[str, Any]:
        """One round trip to Valkey."""
        batch = candidate_cache.load(query.cache_key)
        if batch is None:
            return {}
        judged_by = {name for name in batch["model"] if name}
        is_current = judged_by == {name for name in (ranking.ranker_version(),) if name}
        enough = batch.n >= query.params.cached_posts_threshold
        return {"cached_posts": batch, "has_cached_posts": enough and is_current}

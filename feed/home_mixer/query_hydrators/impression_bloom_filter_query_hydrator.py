"""The viewer's impression filters: what was seen, approximately, over two weeks."""

from typing import Any

from feed.candidate_pipeline import QueryHydrator
from feed.home_mixer import bloom
from feed.home_mixer.query import ScoredPostsQuery


class ImpressionBloomFilterQueryHydrator(QueryHydrator):
    """The viewer's impression filters: what was seen, approximately, over two weeks."""

    writes = ("bloom_filters",)

    def hydrate(self, query: ScoredPostsQuery) -> dict[str, Any]:
        """One round trip to Valkey."""
        return {"bloom_filters": tuple(bloom.load(query.user_id))}

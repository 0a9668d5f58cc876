"""The viewer's MinHash signature of mutual follows."""

from typing import Any

from feed.candidate_pipeline import QueryHydrator
from feed.home_mixer import minhash
from feed.home_mixer.query import ScoredPostsQuery


class MutualFollowQueryHydrator(QueryHydrator):
    """Off by default; a scheduled job writes the signatures."""

    writes = ("viewer_minhash",)

    def enabled(self, query: ScoredPostsQuery) -> bool:
        """Only when likeness of circles is asked for."""
        return query.params.enable_jaccard

    def hydrate(self, query: ScoredPostsQuery) -> dict[str, Any]:
        """One query."""
        return {"viewer_minhash": minhash.load([query.user_id]).get(query.user_id)}

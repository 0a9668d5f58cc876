"""When the viewer last asked for the page, newest first, at most ten, and last looked at Following."""

from typing import Any

from feed.candidate_pipeline import QueryHydrator
from feed.home_mixer import request_times
from feed.home_mixer.query import ScoredPostsQuery


class PastRequestTimestampsQueryHydrator(QueryHydrator):
    """When the viewer last asked for the page, newest first, at most ten, and last looked at Following."""

    writes = ("request_times_ms", "following_at_ms")

    def enabled(self, query: ScoredPostsQuery) -> bool:
        """Where served history is kept."""
        return query.params.enable_served_history

    def hydrate(self, query: ScoredPostsQuery) -> dict[str, Any]:
        """One round trip to Valkey."""
        times, following = request_times.load(query.user_id)
        return {"request_times_ms": times, "following_at_ms": following}

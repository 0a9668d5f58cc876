"""Accounts the viewer blocks."""

from typing import Any

from accounts.selectors import graph
from feed.candidate_pipeline import QueryHydrator
from feed.home_mixer.query import ScoredPostsQuery


class BlockedUserIdsQueryHydrator(QueryHydrator):
    """Accounts the viewer blocks."""

    writes = ("blocked_user_ids",)

    def hydrate(self, query: ScoredPostsQuery) -> dict[str, Any]:
        """One query."""
        return {"blocked_user_ids": graph.blocked_ids(query.user_id)}

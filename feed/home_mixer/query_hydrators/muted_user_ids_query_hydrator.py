"""Accounts the viewer mutes now."""

from typing import Any

from accounts.selectors import graph
from feed.candidate_pipeline import QueryHydrator
from feed.home_mixer.query import ScoredPostsQuery


class MutedUserIdsQueryHydrator(QueryHydrator):
    """Accounts the viewer mutes now."""

    writes = ("muted_user_ids",)

    def hydrate(self, query: ScoredPostsQuery) -> dict[str, Any]:
        """One query."""
        return {"muted_user_ids": graph.muted_ids(query.user_id)}

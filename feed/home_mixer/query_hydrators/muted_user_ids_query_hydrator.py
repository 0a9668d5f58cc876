"""Accounts the viewer mutes now."""

from typing import Any

from accounts.selectors import graph
from feed.candidate_pipeline import QueryHydrator
from feed.home_mixer.query import ScoredPostsQuery
from feed.home_mixer.query_hydrators import GRAPH_MS


class MutedUserIdsQueryHydrator(QueryHydrator):
    """Accounts the viewer mutes now."""

    writes = ("muted_user_ids",)
    timeout_ms = GRAPH_MS
    essential = True

    def hydrate(self, query: ScoredPostsQuery) -> dict[str, Any]:
        """One query."""
        return {"muted_user_ids": graph.muted_ids(query.user_id)}

"""Accounts the viewer mutes now."""

from typing import Any

from feed.candidate_pipeline import QueryHydrator
from feed.home_mixer import graph
from feed.home_mixer.query import ScoredPostsQuery
from feed.home_mixer.query_hydrators import GRAPH_MS


class MutedUserIdsQueryHydrator(QueryHydrator):
    """Accounts the viewer mutes now."""

    writes = ("muted_user_ids",)
    timeout_ms = GRAPH_MS
    essential = True

    def hydrate(self, query: ScoredPostsQuery) -> dict[str, Any]:
        """The viewer's edges: one query, shared."""
        return {"muted_user_ids": graph.of_viewer(query).muted}

"""Starter packs the viewer follows."""

from typing import Any

from feed.candidate_pipeline import QueryHydrator
from feed.home_mixer import graph
from feed.home_mixer.query import ScoredPostsQuery


class FollowedStarterPacksQueryHydrator(QueryHydrator):
    """Starter packs the viewer follows."""

    writes = ("followed_starter_packs",)

    def hydrate(self, query: ScoredPostsQuery) -> dict[str, Any]:
        """The viewer's edges: one query, shared."""
        return {"followed_starter_packs": tuple(graph.of_viewer(query).starter_packs.tolist())}

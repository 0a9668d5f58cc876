"""Starter packs the viewer follows."""

from typing import Any

from accounts.selectors import graph
from feed.candidate_pipeline import QueryHydrator
from feed.home_mixer.query import ScoredPostsQuery


class FollowedStarterPacksQueryHydrator(QueryHydrator):
    """Starter packs the viewer follows."""

    writes = ("followed_starter_packs",)

    def hydrate(self, query: ScoredPostsQuery) -> dict[str, Any]:
        """One query."""
        return {"followed_starter_packs": tuple(graph.followed_starter_pack_ids(query.user_id).tolist())}

"""Accounts the viewer follows; they drive Thunder and what counts as in-network."""

from typing import Any

from accounts.selectors import graph
from feed.candidate_pipeline import QueryHydrator
from feed.home_mixer.query import ScoredPostsQuery


class FollowedUserIdsQueryHydrator(QueryHydrator):
    """Accounts the viewer follows; they drive Thunder and what counts as in-network."""

    writes = ("followed_user_ids",)

    def hydrate(self, query: ScoredPostsQuery) -> dict[str, Any]:
        """One query."""
        return {"followed_user_ids": graph.following_ids(query.user_id)}

"""Authors the viewer pays; without them subscriber-only posts are dropped."""

from typing import Any

from accounts.selectors import graph
from feed.candidate_pipeline import QueryHydrator
from feed.home_mixer.query import ScoredPostsQuery
from feed.home_mixer.query_hydrators import GRAPH_MS


class SubscribedUserIdsQueryHydrator(QueryHydrator):
    """Authors the viewer pays; without them subscriber-only posts are dropped."""

    writes = ("subscribed_user_ids",)
    timeout_ms = GRAPH_MS
    essential = True

    def hydrate(self, query: ScoredPostsQuery) -> dict[str, Any]:
        """One query."""
        return {"subscribed_user_ids": graph.subscribed_author_ids(query.user_id)}

"""Posts the viewer saw last, exactly."""

from typing import Any

from feed.candidate_pipeline import QueryHydrator
from feed.home_mixer.query import ScoredPostsQuery
from posts.selectors import hydration


class ImpressedPostsQueryHydrator(QueryHydrator):
    """Impressed post ids from the impression log. Unwired upstream; here they are cheap and at once."""

    writes = ("impressed_post_ids",)

    def hydrate(self, query: ScoredPostsQuery) -> dict[str, Any]:
        """One query. Of any age: somebody may repost today what was seen last week."""
        return {"impressed_post_ids": hydration.impressed_ids(query.user_id, limit=query.params.impressed_limit)}

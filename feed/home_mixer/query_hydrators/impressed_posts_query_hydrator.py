"""Posts the viewer saw within the age window, exactly."""

from typing import Any

from feed.candidate_pipeline import QueryHydrator
from feed.home_mixer.query import ScoredPostsQuery
from posts.selectors import hydration


class ImpressedPostsQueryHydrator(QueryHydrator):
    """Impressed post ids from the impression log. Unwired upstream; here they are cheap and at once."""

    writes = ("impressed_post_ids",)

    def hydrate(self, query: ScoredPostsQuery) -> dict[str, Any]:
        """One query."""
        since = query.now_ms - 1_000 * query.params.max_post_age_s
        ids = hydration.impressed_ids(query.user_id, since_ms=since, limit=query.params.impressed_limit)
        return {"impressed_post_ids": ids}

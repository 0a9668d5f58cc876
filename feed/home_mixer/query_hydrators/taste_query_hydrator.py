"""What the viewer leans to, as the ranker reads it: how long they looked at what they were shown."""

from typing import Any

from feed.candidate_pipeline import QueryHydrator
from feed.home_mixer import sequences
from feed.home_mixer.query import ScoredPostsQuery
from ranking import services as ranking


class TasteQueryHydrator(QueryHydrator):
    """Ours. Without it a page is ranked as for somebody who was shown nothing yet."""

    writes = ("taste",)

    def enabled(self, query: ScoredPostsQuery) -> bool:
        """Where a model will judge."""
        return not query.has_cached_posts or query.is_shadow_traffic

    def hydrate(self, query: ScoredPostsQuery) -> dict[str, Any]:
        """One read of the impressions, and that of the actions, shared with the sequences."""
        taste = ranking.viewer_taste(
            query.user_id,
            before_ms=query.now_ms,
            version=query.params.ranker_model,
            actions=lambda: sequences.newest_actions_of(query),
        )
        return {"taste": taste}

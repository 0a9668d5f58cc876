"""Likes, replies, reposts, quotes and views of the original, as of now."""

from typing import Any

from feed.candidate_pipeline import Batch
from feed.home_mixer.candidate import original_ids
from feed.home_mixer.candidate_hydrators._fresh import FreshHydrator
from feed.home_mixer.query import ScoredPostsQuery
from posts.selectors import hydration


class EngagementCountsCandidateHydrator(FreshHydrator):
    """Live counts: they go into the model. Not cached, because freshness is what they are for."""

    reads = ("post_id", "repost_of_id")
    writes = ("favorites", "replies", "reposts", "quotes", "views")

    def hydrate(self, query: ScoredPostsQuery, batch: Batch) -> dict[str, Any]:
        """One query."""
        counts = hydration.count_rows(original_ids(batch))
        return {name: counts[:, place] for place, name in enumerate(self.writes)}

"""Whether the original has pictures or videos."""

from typing import Any

from feed.candidate_pipeline import Batch
from feed.home_mixer import post_rows
from feed.home_mixer.candidate_hydrators._fresh import FreshHydrator
from feed.home_mixer.query import ScoredPostsQuery


class HasMediaCandidateHydrator(FreshHydrator):
    """Whether the original has pictures or videos."""

    reads = ("post_id", "repost_of_id")
    writes = ("has_media",)

    def hydrate(self, query: ScoredPostsQuery, batch: Batch) -> dict[str, Any]:
        """Shared post rows."""
        return {"has_media": post_rows.of_originals(query.memo, batch).has_media}

"""Length of the original's shortest video; missing without video."""

from typing import Any

from feed.candidate_pipeline import Batch
from feed.home_mixer import post_rows
from feed.home_mixer.candidate_hydrators._fresh import FreshHydrator
from feed.home_mixer.query import ScoredPostsQuery


class VideoDurationCandidateHydrator(FreshHydrator):
    """Length of the original's shortest video; missing without video."""

    reads = ("post_id", "repost_of_id")
    writes = ("video_ms",)

    def hydrate(self, query: ScoredPostsQuery, batch: Batch) -> dict[str, Any]:
        """Shared post rows."""
        return {"video_ms": post_rows.of_originals(query.memo, batch).video_ms}

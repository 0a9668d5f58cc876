"""Semantic ids: what a post says as a few codes, so that likeness is a comparison of integers."""

from feed.candidate_pipeline import Batch, Hydrated
from feed.home_mixer import semantic_ids
from feed.home_mixer.candidate import original_ids
from feed.home_mixer.candidate_hydrators._fresh import FreshHydrator
from feed.home_mixer.query import ScoredPostsQuery


class SemanticIdCandidateHydrator(FreshHydrator):
    """Codes of the original; a post that was not coded yet stays unknown."""

    reads = ("post_id", "repost_of_id")
    writes = ("semantic_id",)
    urgency = 1

    def hydrate(self, query: ScoredPostsQuery, batch: Batch) -> Hydrated:
        """One query for what this process has not met yet."""
        return Hydrated({"semantic_id": semantic_ids.shared().get(original_ids(batch))})

"""Language of the original."""

from typing import Any

from feed.candidate_pipeline import Batch
from feed.home_mixer import post_rows
from feed.home_mixer.candidate_hydrators._fresh import FreshHydrator
from feed.home_mixer.query import ScoredPostsQuery


class LanguageCodeCandidateHydrator(FreshHydrator):
    """Language of the original."""

    reads = ("post_id", "repost_of_id")
    writes = ("language",)

    def hydrate(self, query: ScoredPostsQuery, batch: Batch) -> dict[str, Any]:
        """Shared post rows."""
        return {"language": post_rows.of_originals(query.memo, batch).language}

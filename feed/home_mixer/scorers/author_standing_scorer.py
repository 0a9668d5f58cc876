"""Ours: strangers' posts by authors whom many turned away from count for less."""

from typing import Any

import numpy as np

from feed.candidate_pipeline import Batch, Scorer
from feed.home_mixer.candidate import NO
from feed.home_mixer.query import ScoredPostsQuery


class AuthorStandingScorer(Scorer):
    """Only what is recommended: who follows an author has decided for themselves. Unknown is no reduction."""

    reads = ("score", "heads", "in_network", "standing")
    writes = ("score", "standing_factor")
    inline = True

    def enabled(self, query: ScoredPostsQuery) -> bool:
        """By parameter."""
        return query.params.enable_standing

    def score(self, query: ScoredPostsQuery, batch: Batch) -> dict[str, Any]:
        """One multiplication; a page by time, without predictions, stays by time."""
        is_ranked = np.isfinite(batch["heads"]).any()
        standing = np.nan_to_num(batch["standing"], nan=1.0)
        factor = np.where((batch["in_network"] == NO) & is_ranked, standing, 1.0)
        return {"score": batch["score"] * factor, "standing_factor": factor}

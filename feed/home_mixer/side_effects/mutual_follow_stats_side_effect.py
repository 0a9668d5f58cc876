"""How alike the circles of viewers and of the authors they are shown are."""

import numpy as np

from feed.candidate_pipeline import Result, SideEffect
from feed.home_mixer.query import ScoredPostsQuery
from xsocial.kernel import metrics

EDGES = (0.0, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0)


class MutualFollowStatsSideEffect(SideEffect):
    """The mean likeness over a page's posts that have one."""

    def enabled(self, query: ScoredPostsQuery) -> bool:
        """With the likeness itself."""
        return query.params.enable_jaccard

    def run(self, result: Result) -> None:
        """One metric; nothing when no likeness is known."""
        known = result.selected["mutual_follow_jaccard"]
        known = known[np.isfinite(known)]
        if len(known):
            spread = metrics.histogram("feed_mutual_follow", "Mean likeness of circles per page", buckets=EDGES)
            spread.observe(float(known.mean()))

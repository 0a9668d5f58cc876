"""Whether Grox has looked at a recommended post."""

import numpy as np

from feed.candidate_pipeline import Batch, Hydrated
from feed.home_mixer.arrays import among
from feed.home_mixer.candidate import original_ids
from feed.home_mixer.candidate_hydrators._fresh import FreshHydrator
from feed.home_mixer.query import ScoredPostsQuery
from moderation import selectors as moderation


class ScreenedCandidateHydrator(FreshHydrator):
    """Ours: a post nobody judged yet is shown to followers but not recommended to strangers."""

    reads = ("post_id", "repost_of_id", "author_id")
    writes = ("screened",)
    urgency = 1

    def enabled(self, query: ScoredPostsQuery) -> bool:
        """Not for viewers who opted in to unscreened posts, nor where nothing is held back."""
        return super().enabled(query) and query.holds_unscreened

    def hydrate(self, query: ScoredPostsQuery, batch: Batch) -> Hydrated:
        """One query, over the strangers' posts alone."""
        strangers = ~among(batch["author_id"], np.append(query.followed_user_ids, query.user_id))
        originals = original_ids(batch)
        judged = moderation.screened(np.unique(originals[strangers]).tolist())
        return Hydrated({"screened": [post_id in judged for post_id in originals.tolist()]}, ok=strangers)

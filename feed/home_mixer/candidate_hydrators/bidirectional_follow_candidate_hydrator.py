"""Which authors follow the viewer, and which of them the viewer follows too."""

from typing import Any

import numpy as np

from accounts.selectors import graph
from feed.candidate_pipeline import Batch
from feed.home_mixer.arrays import among
from feed.home_mixer.candidate import NO, UNKNOWN, YES
from feed.home_mixer.candidate_hydrators._fresh import FreshHydrator
from feed.home_mixer.query import ScoredPostsQuery


class BidirectionalFollowCandidateHydrator(FreshHydrator):
    """Mutual follows make a reply likelier to be worth something."""

    reads = ("author_id",)
    writes = ("author_follows_viewer", "is_mutual_follow_author")
    urgency = 1

    def hydrate(self, query: ScoredPostsQuery, batch: Batch) -> dict[str, Any]:
        """One query over the distinct authors, or only over the followed ones by parameter."""
        authors = np.unique(batch["author_id"])
        if not query.params.check_all_followers:
            authors = np.intersect1d(authors, query.followed_user_ids)
        followers = graph.followers_among(query.user_id, authors)
        follows_viewer = among(batch["author_id"], followers)
        is_followed = among(batch["author_id"], query.followed_user_ids)
        known = np.where(follows_viewer, YES, NO)
        return {
            "author_follows_viewer": known if query.params.check_all_followers else np.full(batch.n, UNKNOWN),
            "is_mutual_follow_author": follows_viewer & is_followed,
        }

"""Whether the author is followed."""

from typing import Any

import numpy as np

from feed.candidate_pipeline import Batch
from feed.home_mixer.arrays import among
from feed.home_mixer.candidate_hydrators._fresh import FreshHydrator
from feed.home_mixer.query import ScoredPostsQuery


class InNetworkCandidateHydrator(FreshHydrator):
    """In-network: by the viewer or an account they follow; for reposts, the reposter counts."""

    reads = ("author_id",)
    writes = ("in_network",)
    inline = True

    def hydrate(self, query: ScoredPostsQuery, batch: Batch) -> dict[str, Any]:
        """Set membership; no reading."""
        network = np.append(query.followed_user_ids, query.user_id)
        return {"in_network": among(batch["author_id"], network)}

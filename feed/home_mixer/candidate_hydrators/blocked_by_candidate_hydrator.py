"""Whether the author blocks the viewer."""

from typing import Any

from feed.candidate_pipeline import Batch
from feed.home_mixer import graph
from feed.home_mixer.arrays import among
from feed.home_mixer.candidate_hydrators._fresh import FreshHydrator
from feed.home_mixer.query import ScoredPostsQuery


class BlockedByCandidateHydrator(FreshHydrator):
    """Membership in the set of accounts that block the viewer."""

    reads = ("author_id",)
    writes = ("author_blocks_viewer",)

    def hydrate(self, query: ScoredPostsQuery, batch: Batch) -> dict[str, Any]:
        """One query, shared with Quote."""
        return {"author_blocks_viewer": among(batch["author_id"], graph.of_viewer(query).blocked_by)}

"""How much the viewer's mutual follows and an author's are the same people."""

import numpy as np

from feed.candidate_pipeline import Batch, Hydrated, Hydrator
from feed.home_mixer import minhash
from feed.home_mixer.query import ScoredPostsQuery
from xsocial.kernel.errors import Unavailable


class MutualFollowJaccardCandidateHydrator(Hydrator):
    """Off by default. Estimated from MinHash signatures; an author without one has no value."""

    reads = ("author_id",)
    writes = ("mutual_follow_jaccard",)

    def enabled(self, query: ScoredPostsQuery) -> bool:
        """By parameter, for viewers with a signature."""
        return query.params.enable_jaccard and query.viewer_minhash is not None

    def hydrate(self, query: ScoredPostsQuery, batch: Batch) -> Hydrated:
        """One query for the distinct authors. Raises Unavailable when a signature is cut short."""
        mine = query.viewer_minhash
        values = np.full(batch.n, np.nan)
        if len(mine) < minhash.HASHES:
            return Hydrated({"mutual_follow_jaccard": values})
        for author, signature in minhash.load(np.unique(batch["author_id"]).tolist()).items():
            if len(signature) < minhash.HASHES:
                raise Unavailable("A signature is too short.", extra={"user": author})
            values[batch["author_id"] == author] = minhash.similarity(mine, signature)
        return Hydrated({"mutual_follow_jaccard": values})

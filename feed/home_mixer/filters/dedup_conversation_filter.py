"""One post per conversation: the one with the best score."""

import numpy as np

from feed.candidate_pipeline import Batch, Filter
from feed.home_mixer.candidate import original_ids
from feed.home_mixer.query import ScoredPostsQuery


class DedupConversationFilter(Filter):
    """A conversation is known by its smallest ancestor, a post without any by its original; ties keep the first."""

    reads = ("ancestors", "post_id", "repost_of_id", "score")

    def keep(self, query: ScoredPostsQuery, batch: Batch) -> np.ndarray:
        """A mask over the rows."""
        scores = np.nan_to_num(batch["score"], nan=0.0)
        best: dict[int, int] = {}
        pairs = zip(batch["ancestors"], original_ids(batch).tolist(), strict=True)
        for row, (ancestors, post_id) in enumerate(pairs):
            conversation = min(ancestors) if ancestors else post_id
            holder = best.setdefault(conversation, row)
            if scores[row] > scores[holder]:
                best[conversation] = row
        keep = np.zeros(batch.n, dtype=bool)
        keep[list(best.values())] = True
        return keep

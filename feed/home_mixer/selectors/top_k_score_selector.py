"""The best by score, with a few more than a page needs, for what visibility takes out."""

import numpy as np

from feed.candidate_pipeline import Batch, Selection, Selector
from feed.home_mixer.query import ScoredPostsQuery
from feed.home_mixer.selectors import slate_diversity


class TopKScoreSelector(Selector):
    """Highest score first; ties keep source order. Spaced by author and content where that is on."""

    reads = ("score", "author_id", "repost_of_user_id", "semantic_id")

    def size(self, query: ScoredPostsQuery) -> int:
        """Fifty by default, of which thirty-five are shown."""
        return query.params.top_k

    def scores(self, query: ScoredPostsQuery, batch: Batch) -> np.ndarray:
        """The ranking score."""
        return batch["score"]

    def select(self, query: ScoredPostsQuery, batch: Batch) -> Selection:
        """The best by score, in slate order."""
        plain = super().select(query, batch)
        if not query.params.slate_diversity:
            return plain
        size = len(plain.selected)
        spaced = slate_diversity.order(batch, np.concatenate([plain.selected, plain.non_selected]), size, query.params)
        return Selection(spaced[:size], spaced[size:])

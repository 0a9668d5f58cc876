"""Who wrote what a candidate answers, and what the posts it answers and quotes say."""

from typing import Any

import numpy as np

from feed.candidate_pipeline import Batch, Hydrator
from feed.home_mixer import post_rows
from feed.home_mixer.query import ScoredPostsQuery


class RelatedPostsCandidateHydrator(Hydrator):
    """Only for the two filters that ask, and then on replayed candidates too: their rules may be new."""

    reads = ("post_id", "ancestors")
    writes = ("ancestor_authors", "related_texts")

    def enabled(self, query: ScoredPostsQuery) -> bool:
        """While accounts are excluded by policy, or muted words are matched strictly."""
        return len(query.policy_excluded_ids) > 0 or query.mutes_strictly

    def hydrate(self, query: ScoredPostsQuery, batch: Batch) -> dict[str, Any]:
        """One query for the related posts, beside the candidates' own shared rows."""
        rows = post_rows.of_request(query.memo)
        quotes = post_rows.of_candidates(query.memo, batch).quote_of_id
        ancestors = [tuple(found or ()) for found in batch["ancestors"]]
        wanted = np.unique(np.array([*quotes.tolist(), *(i for found in ancestors for i in found)], np.int64))
        known = rows.get(wanted)
        author_of = dict(zip(wanted.tolist(), known.author_id.tolist(), strict=True))
        text_of = dict(zip(wanted.tolist(), known.text.tolist(), strict=True))
        pairs = zip(ancestors, quotes.tolist(), strict=True)
        return {
            "ancestor_authors": [tuple(author_of[i] for i in found) for found in ancestors],
            "related_texts": [tuple(text_of[i] for i in (*found, quote) if i) for found, quote in pairs],
        }

"""Text, and what a post reposts or answers. Never the author: that comes with the source."""

import numpy as np

from feed.candidate_pipeline import Batch, Hydrated
from feed.home_mixer import post_rows
from feed.home_mixer.candidate_hydrators._fresh import FreshHydrator
from feed.home_mixer.query import ScoredPostsQuery


class CoreDataCandidateHydrator(FreshHydrator):
    """A post that is gone loses its links and gets an empty text."""

    reads = ("post_id", "repost_of_id")
    writes = ("text", "repost_of_id", "repost_of_user_id", "in_reply_to_id", "is_reply")
    urgency = 2  # others wait for these rows

    def hydrate(self, query: ScoredPostsQuery, batch: Batch) -> Hydrated:
        """The request's post rows: one query, shared by five hydrators."""
        rows = post_rows.of_candidates(query.memo, batch)
        return Hydrated(
            {
                "text": np.where(rows.found, rows.text, ""),
                "repost_of_id": rows.repost_of_id,
                "repost_of_user_id": rows.repost_of_user_id,
                "in_reply_to_id": rows.in_reply_to_id,
                "is_reply": post_rows.of_originals(query.memo, batch).in_reply_to_id > 0,
            }
        )

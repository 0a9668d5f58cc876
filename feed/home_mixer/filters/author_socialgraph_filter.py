"""Drops posts across a block, in either direction, and posts by muted authors."""

import numpy as np

from feed.candidate_pipeline import Batch, Filter
from feed.home_mixer.arrays import among
from feed.home_mixer.candidate import YES
from feed.home_mixer.query import ScoredPostsQuery


class AuthorSocialgraphFilter(Filter):
    """Six conditions. A quoted or reposted author who is merely muted does not hide the post."""

    reads = (
        "author_id",
        "repost_of_user_id",
        "quote_of_user_id",
        "author_blocks_viewer",
        "quoted_author_blocks_viewer",
    )
    keeps_on_fault = False

    def keep(self, query: ScoredPostsQuery, batch: Batch) -> np.ndarray:
        """A mask over the rows; what is unknown counts as no."""
        unwanted = np.concatenate([query.muted_user_ids, query.blocked_user_ids])
        hidden = among(batch["author_id"], unwanted)
        hidden |= among(batch["quote_of_user_id"], query.blocked_user_ids)
        hidden |= among(batch["repost_of_user_id"], query.blocked_user_ids)
        hidden |= batch["author_blocks_viewer"] == YES
        hidden |= batch["quoted_author_blocks_viewer"] == YES
        return ~hidden

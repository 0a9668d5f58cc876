"""Holds a fixed share of posts back from each viewer, to measure what posts are worth."""

import numpy as np

from feed.candidate_pipeline import Batch, Filter
from feed.home_mixer.candidate import original_ids
from feed.home_mixer.query import ScoredPostsQuery

_GOLDEN, _SECOND = np.uint64(0x9E3779B97F4A7C15), np.uint64(0xD1B54A32D192ED03)
_MIX = ((30, np.uint64(0xBF58476D1CE4E5B9)), (27, np.uint64(0x94D049BB133111EB)))


class InventoryHoldoutFilter(Filter):
    """Off by default. The same posts are held back from the same viewer on every page."""

    reads = ("post_id", "repost_of_id", "in_reply_to_id")

    def enabled(self, query: ScoredPostsQuery) -> bool:
        """By parameter."""
        return query.params.holdout_enabled

    def keep(self, query: ScoredPostsQuery, batch: Batch) -> np.ndarray:
        """A mask over the rows; a repost counts as a repost even of a reply, a quote as an original."""
        params = query.params
        share = np.where(
            batch["repost_of_id"] > 0,
            params.holdout_reposts_percent,
            np.where(batch["in_reply_to_id"] > 0, params.holdout_replies_percent, params.holdout_originals_percent),
        )
        return bucket(original_ids(batch), query.user_id) >= share


def bucket(post_ids: np.ndarray, viewer_id: int) -> np.ndarray:
    """A number from 0 to 99 per post, fixed for a viewer: a mix in the manner of splitmix64, modulo 2^64."""
    viewer = viewer_id & (2**64 - 1)
    rotated = np.uint64((viewer << 32 | viewer >> 32) & (2**64 - 1))
    with np.errstate(over="ignore"):  # wrapping is meant
        z = post_ids.astype(np.uint64) * _GOLDEN + rotated * _SECOND + _GOLDEN
        for shift, factor in _MIX:
            z = (z ^ (z >> np.uint64(shift))) * factor
        z ^= z >> np.uint64(31)
    return (z % np.uint64(100)).astype(np.int64)

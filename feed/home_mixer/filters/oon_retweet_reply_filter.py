"""Drops strangers' reposts and replies, and replies torn from their conversation."""

import numpy as np

from feed.candidate_pipeline import Batch, Filter
from feed.home_mixer import served_types
from feed.home_mixer.candidate import NO
from feed.home_mixer.query import ScoredPostsQuery


class OONRetweetReplyFilter(Filter):
    """Recommendations are originals. Whether somebody is a stranger must be known; unknown stays."""

    reads = ("in_network", "repost_of_id", "in_reply_to_id", "ancestors", "served_type")

    def enabled(self, query: ScoredPostsQuery) -> bool:
        """By parameter."""
        return query.params.enable_oon_repost_reply_filter

    def keep(self, query: ScoredPostsQuery, batch: Batch) -> np.ndarray:
        """A mask over the rows. A switch lets strangers' replies through that Phoenix found."""
        is_reply = batch["in_reply_to_id"] > 0
        is_torn = is_reply & ~batch["ancestors"].astype(bool)
        unwanted_reply = is_reply
        if query.params.allow_oon_phoenix_replies:
            unwanted_reply = is_reply & (batch["served_type"] != served_types.PHOENIX)
        passed_on = unwanted_reply | (batch["repost_of_id"] > 0)
        return ~(((batch["in_network"] == NO) & passed_on) | is_torn)

"""Young accounts that chose topics see strangers only on those topics."""

import numpy as np

from feed.candidate_pipeline import Batch, Filter
from feed.home_mixer import topics
from feed.home_mixer.candidate import YES
from feed.home_mixer.query import ScoredPostsQuery


class NewUserTopicIdsFilter(Filter):
    """Off by default: hard filtering starves a small corpus."""

    reads = ("filtered_topics", "in_network")

    def enabled(self, query: ScoredPostsQuery) -> bool:
        """For new-user topics, unless the page asks for topics itself."""
        wanted = query.params.new_user_topic_filtering and bool(query.new_user_topic_ids)
        return wanted and not query.is_topic_request

    def keep(self, query: ScoredPostsQuery, batch: Batch) -> np.ndarray:
        """A mask over the rows; strangers' posts without topics are dropped."""
        tree = topics.of_request(query.memo)
        chosen = set().union(*(tree.expand(topic) for topic in query.new_user_topic_ids))
        on_topic = [bool((found or set()) & chosen) for found in batch["filtered_topics"]]
        return (batch["in_network"] == YES) | np.array(on_topic, dtype=bool)

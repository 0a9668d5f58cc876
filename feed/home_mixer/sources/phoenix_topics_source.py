"""Posts near the viewer among those about certain topics."""

from feed.candidate_pipeline import Batch, Source
from feed.home_mixer import retrieval, topics
from feed.home_mixer.query import ScoredPostsQuery


class PhoenixTopicsSource(Source):
    """Out-of-network candidates for a topic page, or for a newcomer who chose topics."""

    writes = retrieval.WRITES

    def enabled(self, query: ScoredPostsQuery) -> bool:
        """For up to six asked topics, or new-user topics."""
        asks = query.is_topic_request and not query.is_bulk_topic_request
        begins_with_topics = query.params.enable_phoenix_topics and bool(query.new_user_topic_ids)
        return (asks or begins_with_topics) and retrieval.is_open(query)

    def fetch(self, query: ScoredPostsQuery) -> Batch:
        """Raises Unavailable without a promoted retrieval model."""
        tree = topics.of_request(query.memo)
        wanted = query.topic_ids or query.new_user_topic_ids
        covered = tuple(sorted(set().union(*(tree.expand(topic) for topic in wanted))))
        return retrieval.fetch(query, model_name=query.params.topics_model, topic_ids=covered)

"""Posts near the viewer in the retrieval model's space."""

from feed.candidate_pipeline import Batch, Source
from feed.home_mixer import model_choice, retrieval
from feed.home_mixer.query import ScoredPostsQuery


class PhoenixSource(Source):
    """Out-of-network candidates for general pages, best first."""

    writes = retrieval.WRITES

    def enabled(self, query: ScoredPostsQuery) -> bool:
        """Not for topic pages, newcomers with topics, in-network or cached requests."""
        general = not query.is_topic_request or query.is_bulk_topic_request
        begins_with_topics = query.params.enable_phoenix_topics and bool(query.new_user_topic_ids)
        return query.params.enable_phoenix_source and general and not begins_with_topics and retrieval.is_open(query)

    def fetch(self, query: ScoredPostsQuery) -> Batch:
        """Raises Unavailable without a promoted retrieval model."""
        return retrieval.fetch(query, model_name=model_choice.retrieval(query))

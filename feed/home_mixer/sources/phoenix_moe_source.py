"""Posts near the viewer in a second retrieval model's space."""

from feed.candidate_pipeline import Batch, Source
from feed.home_mixer import retrieval, served_types
from feed.home_mixer.query import ScoredPostsQuery


class PhoenixMOESource(Source):
    """Off by default. Named by ``moe_model``; what the first model found already is a duplicate and goes."""

    writes = retrieval.WRITES

    def enabled(self, query: ScoredPostsQuery) -> bool:
        """As Phoenix, on general pages alone."""
        general = not query.is_topic_request or query.is_bulk_topic_request
        return query.params.enable_moe and general and retrieval.is_open(query)

    def fetch(self, query: ScoredPostsQuery) -> Batch:
        """Raises Unavailable without sequence or model."""
        return retrieval.fetch(
            query,
            model_name=query.params.moe_model,
            limit=query.params.moe_max_results,
            served_type=served_types.PHOENIX_MOE,
        )

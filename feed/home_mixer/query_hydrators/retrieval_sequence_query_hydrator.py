"""What the viewer did lately, as the retrieval model reads it."""

from typing import Any

from feed.candidate_pipeline import QueryHydrator
from feed.home_mixer import sequences
from feed.home_mixer.query import ScoredPostsQuery


class RetrievalSequenceQueryHydrator(QueryHydrator):
    """The viewer's newest action rows, at most ``max_sequence_retrieval``."""

    writes = ("retrieval_sequence",)

    def enabled(self, query: ScoredPostsQuery) -> bool:
        """Only where something will be retrieved."""
        return not query.has_cached_posts

    def hydrate(self, query: ScoredPostsQuery) -> dict[str, Any]:
        """One read of the engagements, shared with the other sequence."""
        return {"retrieval_sequence": sequences.newest(query, query.params.max_sequence_retrieval)}

"""What the viewer did lately, as the ranker reads it."""

from typing import Any

from feed.candidate_pipeline import QueryHydrator
from feed.home_mixer import sequences
from feed.home_mixer.params import GATED
from feed.home_mixer.query import ScoredPostsQuery


class ScoringSequenceQueryHydrator(QueryHydrator):
    """The viewer's newest action rows, at most ``max_sequence_scoring``."""

    writes = ("scoring_sequence",)

    def enabled(self, query: ScoredPostsQuery) -> bool:
        """Where a model will judge, and where the history decides by which formula a page is ranked."""
        return not query.has_cached_posts or query.is_shadow_traffic or query.params.value_mode == GATED

    def hydrate(self, query: ScoredPostsQuery) -> dict[str, Any]:
        """One read of the engagements, shared with the other sequence."""
        return {"scoring_sequence": sequences.newest(query, query.params.max_sequence_scoring)}

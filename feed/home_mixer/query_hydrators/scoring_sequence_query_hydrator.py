"""What the viewer did lately, as the ranker reads it."""

from typing import Any

from feed.candidate_pipeline import QueryHydrator
from feed.home_mixer import sequences
from feed.home_mixer.query import ScoredPostsQuery


class ScoringSequenceQueryHydrator(QueryHydrator):
    """The viewer's newest action rows, at most ``max_sequence_scoring``."""

    writes = ("scoring_sequence",)

    def hydrate(self, query: ScoredPostsQuery) -> dict[str, Any]:
        """One read of the engagements, shared with the other sequence."""
        return {"scoring_sequence": sequences.newest(query, query.params.max_sequence_scoring)}

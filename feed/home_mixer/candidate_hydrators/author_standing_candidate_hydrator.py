"""Ours: how far many people's noes reduce recommendations of an author."""

from typing import Any

from feed.candidate_pipeline import Batch
from feed.home_mixer.candidate import original_authors
from feed.home_mixer.candidate_hydrators._fresh import FreshHydrator
from feed.home_mixer.query import ScoredPostsQuery
from feed.signals import standing


class AuthorStandingCandidateHydrator(FreshHydrator):
    """Of the original's author; cached candidates keep what they came with."""

    reads = ("author_id", "repost_of_user_id")
    writes = ("standing",)

    def enabled(self, query: ScoredPostsQuery) -> bool:
        """By parameter."""
        return super().enabled(query) and query.params.enable_standing

    def hydrate(self, query: ScoredPostsQuery, batch: Batch) -> dict[str, Any]:
        """From memory; one query a minute."""
        return {"standing": standing.factors(original_authors(batch))}

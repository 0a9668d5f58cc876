"""Cached candidates were hydrated when they were stored; most hydrators leave them alone."""

from feed.candidate_pipeline import Hydrator
from feed.home_mixer.query import ScoredPostsQuery


class FreshHydrator(Hydrator):
    """A hydrator that is off when the candidates of the page before are replayed."""

    def enabled(self, query: ScoredPostsQuery) -> bool:
        """Only for fresh candidates."""
        return not query.has_cached_posts

"""The candidates of the page before, replayed."""

from feed.candidate_pipeline import Batch, Source
from feed.home_mixer.candidate_cache import COLUMNS
from feed.home_mixer.query import ScoredPostsQuery


class CachedPostsSource(Source):
    """Stored candidates, unchanged, with their predictions."""

    writes = COLUMNS
    inline = True

    def enabled(self, query: ScoredPostsQuery) -> bool:
        """Only when there are enough."""
        return query.has_cached_posts

    def fetch(self, query: ScoredPostsQuery) -> Batch:
        """No reading: the query hydrator brought them."""
        return query.cached_posts

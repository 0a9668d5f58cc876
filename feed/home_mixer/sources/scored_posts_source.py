"""The posts of the page: one run of the inner pipeline."""

from feed.candidate_pipeline import Batch, Pipeline, Source
from feed.home_mixer import feed_item
from feed.home_mixer.query import ScoredPostsQuery


class ScoredPostsSource(Source):
    """Runs in the calling thread: a pool thread must never wait for the pool."""

    writes = ("kind", "item")
    inline = True

    def __init__(self, pipeline: Pipeline) -> None:
        self.pipeline = pipeline

    def fetch(self, query: ScoredPostsQuery) -> Batch:
        """The selected posts; the whole result is noted for the receipt."""
        result = self.pipeline.execute(query, deadline=query.memo.get("deadline"))
        query.memo.put("scored_posts", result)
        return feed_item.items(feed_item.POST, feed_item.post_rows_of(result.selected))

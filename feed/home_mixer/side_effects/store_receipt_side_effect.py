"""Writes the receipt of the page."""

from feed.candidate_pipeline import Pipeline, Result, SideEffect
from feed.home_mixer.query import ScoredPostsQuery
from feed.receipts import build, store, tape


class StoreReceiptSideEffect(SideEffect):
    """Never on the response's path."""

    essential = True

    def __init__(self, scored_posts: Pipeline) -> None:
        self.scored_posts = scored_posts

    def enabled(self, query: ScoredPostsQuery) -> bool:
        """Previews leave no trace."""
        return not query.is_preview

    def run(self, result: Result) -> None:
        """One insert, and what the load can be replayed from."""
        inner: Result | None = result.query.memo.get("scored_posts")
        taped = tape.record(self.scored_posts, result, inner) if inner else None
        store.save(build.receipt(result), taped, settings=build.settings_of(result))

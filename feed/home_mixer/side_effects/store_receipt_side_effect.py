"""Writes the receipt of the page."""

from feed.candidate_pipeline import Result, SideEffect
from feed.home_mixer.query import ScoredPostsQuery
from feed.receipts import build, store


class StoreReceiptSideEffect(SideEffect):
    """Never on the response's path."""

    def enabled(self, query: ScoredPostsQuery) -> bool:
        """Previews leave no trace."""
        return not query.is_preview

    def run(self, result: Result) -> None:
        """One insert."""
        store.save(build.receipt(result), viewer_id=result.query.user_id)

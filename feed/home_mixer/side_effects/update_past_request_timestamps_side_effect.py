"""Notes when the viewer asked."""

from feed.candidate_pipeline import Result, SideEffect
from feed.home_mixer import request_times
from feed.home_mixer.query import ScoredPostsQuery


class UpdatePastRequestTimestampsSideEffect(SideEffect):
    """People's requests only: neither polling nor background fetches."""

    def enabled(self, query: ScoredPostsQuery) -> bool:
        """Only when a person asked."""
        return (
            query.params.enable_served_history and not query.is_polling and query.request_context != "background_fetch"
        )

    def run(self, result: Result) -> None:
        """One round trip to Valkey."""
        request_times.add(result.query.user_id, result.query.now_ms)

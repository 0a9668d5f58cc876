"""What the client says was seen, into the viewer's impression filter."""

from feed.candidate_pipeline import Result, SideEffect
from feed.home_mixer import bloom
from feed.home_mixer.query import ScoredPostsQuery


class PublishSeenIdsSideEffect(SideEffect):
    """Nothing when the client named nothing."""

    essential = True

    def enabled(self, query: ScoredPostsQuery) -> bool:
        """Only with seen ids."""
        return query.params.enable_publish_seen and len(query.seen_ids) > 0

    def run(self, result: Result) -> None:
        """A few bits in Valkey."""
        bloom.add(result.query.user_id, result.query.seen_ids.tolist())

"""Keeps the newest fifty records of a viewer."""

from feed.candidate_pipeline import Result, SideEffect
from feed.home_mixer.query import ScoredPostsQuery
from feed.models import ServedHistory

KEPT = 50


class TruncateServedHistorySideEffect(SideEffect):
    """Older records are of no use to any stage."""

    def enabled(self, query: ScoredPostsQuery) -> bool:
        """Where served history is kept."""
        return query.params.enable_served_history

    def run(self, result: Result) -> None:
        """One read; a delete only when there is something beyond."""
        mine = ServedHistory.objects.filter(
            user_id=result.query.user_id, timeline="home", platform=result.query.platform
        )
        beyond = list(mine.order_by("-served_at").values_list("pk", flat=True)[KEPT : 2 * KEPT])
        if beyond:
            ServedHistory.objects.filter(pk__in=beyond).delete()

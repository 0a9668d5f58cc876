"""What was on the viewer's last pages, and whether account suggestions are due again."""

from datetime import timedelta
from typing import Any

import numpy as np

from feed.candidate_pipeline import QueryHydrator
from feed.home_mixer.query import ScoredPostsQuery
from feed.models import ServedHistory
from xsocial.kernel import clock

MODULES_READ = 20
USERS_EXCLUDED = 200


class ServedHistoryQueryHydrator(QueryHydrator):
    """Ids served in the last minutes, suggested people, and the fatigue of suggestions."""

    writes = ("served_ids", "who_to_follow_shown", "who_to_follow_eligible")

    def hydrate(self, query: ScoredPostsQuery) -> dict[str, Any]:
        """Two queries over the newest records of this viewer and platform."""
        records = ServedHistory.objects.filter(
            user_id=query.user_id, timeline="home", platform=query.platform
        ).order_by("-served_at")
        now = clock.from_ms(query.now_ms)
        recent = records.filter(served_at__gte=now - timedelta(seconds=query.params.served_window_s))
        modules = records.filter(has_who_to_follow=True)[:MODULES_READ]
        shown = list(modules.values_list("served_at", "entries"))
        rested = timedelta(hours=query.params.who_to_follow_fatigue_h)
        served = _served_ids(recent.values_list("entries", flat=True), query.params.served_ids_limit)
        return {
            "served_ids": np.concatenate([query.cursor_ids, served]),
            "who_to_follow_shown": _suggested(shown),
            "who_to_follow_eligible": not shown or now - shown[0][0] >= rested,
        }


def _served_ids(records: Any, limit: int) -> np.ndarray:
    """Each entry's post, then what it reposts; newest record first."""
    ids = [
        int(post_id)
        for entries in records
        for entry in entries
        for post_id in (entry.get("post_id"), entry.get("repost_of_id"))
        if post_id
    ]
    return np.array(ids[:limit], np.int64)


def _suggested(records: list[tuple[Any, list[dict]]]) -> tuple[int, ...]:
    users = [int(user) for _, entries in records for entry in entries for user in entry.get("user_ids", ())]
    return tuple(users[:USERS_EXCLUDED])

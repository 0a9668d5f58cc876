"""What the viewer engaged with lately, by kind: explicitly (likes and the like) and implicitly (looks)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import numpy as np
from django.db import connection

from feed.candidate_pipeline import QueryHydrator
from feed.home_mixer.query import ScoredPostsQuery
from posts.types import EngagementKind
from xsocial.kernel import clock

EXPLICIT = (
    EngagementKind.FAVORITE,
    EngagementKind.REPLY,
    EngagementKind.REPOST,
    EngagementKind.QUOTE,
    EngagementKind.BOOKMARK,
    EngagementKind.SHARE,
)
IMPLICIT = (EngagementKind.CLICK, EngagementKind.PHOTO_EXPAND, EngagementKind.VIDEO_QUALITY_VIEW, EngagementKind.DWELL)

# The newest few of each kind: one short index scan per kind.
SIGNALS_SQL = """
SELECT k.kind, s.post_id, (extract(epoch FROM s.created_at) * 1000)::bigint
  FROM unnest(%s::smallint[]) AS k(kind), LATERAL (
       SELECT coalesce(p.repost_of_id, e.post_id) AS post_id, e.created_at
         FROM posts_engagement e JOIN posts_post p ON p.id = e.post_id
        WHERE e.user_id = %s AND e.kind = k.kind AND e.created_at >= %s AND e.created_at < %s
        ORDER BY e.created_at DESC LIMIT %s) AS s
 ORDER BY 3 DESC, 2 DESC
"""


class EngagementSignalsQueryHydrator(QueryHydrator):
    """At most fifteen a kind, newest first; the seeds of the community source."""

    writes = ("engagement_signals",)

    def enabled(self, query: ScoredPostsQuery) -> bool:
        """Only where the community source will ask."""
        return query.params.enable_simclusters and not query.in_network_only

    def hydrate(self, query: ScoredPostsQuery) -> dict[str, Any]:
        """One query: rows of kind, post and time in milliseconds."""
        now = clock.from_ms(query.now_ms)
        since = now - timedelta(days=query.params.signal_max_age_days)
        kinds = [int(kind) for kind in (*EXPLICIT, *IMPLICIT)]
        with connection.cursor() as cursor:
            cursor.execute(SIGNALS_SQL, [kinds, query.user_id, since, now, query.params.signals_per_kind])
            rows = cursor.fetchall()
        return {"engagement_signals": np.array(rows, np.int64).reshape(-1, 3)}

"""What the viewer engaged with lately, by kind: explicitly (likes and the like) and implicitly (looks)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import numpy as np

from feed.candidate_pipeline import QueryHydrator
from feed.home_mixer.query import ScoredPostsQuery
from posts.types import EngagementKind
from xsocial.kernel import clock, sql

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
SIGNALS_SQL = f"""
SELECT {", ".join(map(sql.packed, ("kind", "post_id", "at_ms")))} FROM (
    SELECT k.kind::bigint, s.post_id, (extract(epoch FROM s.created_at) * 1000)::bigint AS at_ms
      FROM unnest(%(kinds)s::smallint[]) AS k(kind), LATERAL (
           SELECT coalesce(p.repost_of_id, e.post_id) AS post_id, e.created_at
             FROM posts_engagement e JOIN posts_post p ON p.id = e.post_id
            WHERE e.user_id = %(who)s AND e.kind = k.kind
              AND e.created_at >= %(since)s AND e.created_at < %(until)s
            ORDER BY e.created_at DESC LIMIT %(limit)s) AS s
     ORDER BY at_ms DESC, s.post_id DESC) AS signals
"""


class EngagementSignalsQueryHydrator(QueryHydrator):
    """At most fifteen a kind, newest first; the seeds of the community source."""

    writes = ("engagement_signals",)

    def enabled(self, query: ScoredPostsQuery) -> bool:
        """Only where the community source will ask."""
        return query.params.enable_simclusters and not (query.in_network_only or query.has_cached_posts)

    def hydrate(self, query: ScoredPostsQuery) -> dict[str, Any]:
        """One query: rows of kind, post and time in milliseconds."""
        now = clock.from_ms(query.now_ms)
        params = {
            "kinds": [int(kind) for kind in (*EXPLICIT, *IMPLICIT)],
            "who": query.user_id,
            "since": now - timedelta(days=query.params.signal_max_age_days),
            "until": now,
            "limit": query.params.signals_per_kind,
        }
        found = sql.row(SIGNALS_SQL, params) or ()
        return {"engagement_signals": np.stack(list(map(sql.unpacked, found)), axis=1)}

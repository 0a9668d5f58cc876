"""Topics people seem to like: those of what they liked and shared lately."""

from __future__ import annotations

from datetime import timedelta

from django.db import connection

from posts.types import EngagementKind
from xsocial.kernel import clock

PERIOD = timedelta(days=30)
KEPT = 32
KINDS = [int(kind) for kind in (EngagementKind.FAVORITE, EngagementKind.REPOST, EngagementKind.BOOKMARK)]

# One statement: count confident topics of liked posts per person, keep the most frequent.
REBUILD_SQL = """
WITH counted AS (
  SELECT e.user_id, t.topic_id, count(*) AS times
    FROM posts_engagement e JOIN posts_posttopic t ON t.post_id = e.post_id AND t.confidence >= 0.5
   WHERE e.kind = ANY(%(kinds)s) AND e.created_at >= %(since)s
   GROUP BY 1, 2
), ranked AS (
  SELECT *, row_number() OVER (PARTITION BY user_id ORDER BY times DESC, topic_id) AS place FROM counted
)
INSERT INTO feed_inferredtopics (user_id, topic_ids, updated_at)
SELECT user_id, jsonb_agg(topic_id ORDER BY place), %(now)s FROM ranked WHERE place <= %(kept)s GROUP BY user_id
    ON CONFLICT (user_id) DO UPDATE SET topic_ids = excluded.topic_ids, updated_at = excluded.updated_at
"""
FORGET_SQL = "DELETE FROM feed_inferredtopics WHERE updated_at < %(now)s"


def rebuild() -> int:
    """Work everybody's topics out anew; returns for how many. Who liked nothing lately has none."""
    now = clock.now()
    values = {"kinds": KINDS, "since": now - PERIOD, "now": now, "kept": KEPT}
    with connection.cursor() as cursor:
        cursor.execute(REBUILD_SQL, values)
        found = cursor.rowcount
        cursor.execute(FORGET_SQL, values)
    return found

"""What was on the viewer's last pages, and whether account suggestions are due again."""

from datetime import timedelta
from typing import Any

import numpy as np
import orjson

from feed.candidate_pipeline import QueryHydrator
from feed.home_mixer.query import ScoredPostsQuery
from feed.models import ServedHistory
from xsocial.kernel import clock, sql

MODULES_READ = 20
USERS_EXCLUDED = 200
PAGES_READ = 50

_RECORDS = "feed_servedhistory WHERE user_id = %(who)s AND timeline = 'home' AND platform = %(platform)s"
# Each entry's post, then what it reposts, newest record first; and when people were suggested last, and who.
_HISTORY = f"""
SELECT posts.ids, modules.newest, modules.users
  FROM (SELECT {sql.packed("id")} FROM (
            SELECT named.id::bigint
              FROM (SELECT served_at, entries FROM {_RECORDS} AND served_at >= %(since)s) AS record,
                   jsonb_array_elements(entries) WITH ORDINALITY AS e (entry, place),
                   LATERAL (VALUES (1, entry ->> 'post_id'), (2, entry ->> 'repost_of_id')) AS named (part, id)
             WHERE named.id IS NOT NULL
             ORDER BY served_at DESC, place, part
             LIMIT %(limit)s) AS served (id)) AS posts (ids),
       (SELECT max(served_at), jsonb_agg(users ORDER BY served_at DESC)::text FROM (
            SELECT served_at, jsonb_path_query_array(entries, '$[*].user_ids[*]') AS users
              FROM {_RECORDS} AND has_who_to_follow
             ORDER BY served_at DESC LIMIT {MODULES_READ}) AS shown) AS modules (newest, users)
"""


class ServedHistoryQueryHydrator(QueryHydrator):
    """Ids served in the last minutes, suggested people, and the fatigue of suggestions."""

    writes = ("served_ids", "served_order", "who_to_follow_shown", "who_to_follow_eligible")

    def enabled(self, query: ScoredPostsQuery) -> bool:
        """By parameter; without it the client's own list of served posts stands."""
        return query.params.enable_served_history

    def hydrate(self, query: ScoredPostsQuery) -> dict[str, Any]:
        """One query over the newest records of this viewer and platform."""
        now = clock.from_ms(query.now_ms)
        params = {
            "who": query.user_id,
            "platform": query.platform,
            "since": now - timedelta(seconds=query.params.served_window_s),
            "limit": query.params.served_ids_limit,
        }
        served, newest_module, modules = sql.row(_HISTORY, params) or (None, None, None)
        rested = timedelta(hours=query.params.who_to_follow_fatigue_h)
        suggested = [user for users in orjson.loads(modules or b"[]") for user in users]
        order = _served_order(query) if query.allows_reexposure else None
        return {
            "served_order": order,
            "served_ids": np.concatenate([query.cursor_ids, sql.unpacked(served)]),
            "who_to_follow_shown": tuple(map(int, suggested[:USERS_EXCLUDED])),
            "who_to_follow_eligible": newest_module is None or now - newest_module >= rested,
        }


def _served_order(query: ScoredPostsQuery) -> tuple[np.ndarray, np.ndarray]:
    """Every id on the viewer's last pages, and how many pages ago it was last there (0: the newest)."""
    records = ServedHistory.objects.filter(user_id=query.user_id, timeline="home", platform=query.platform)
    last: dict[int, int] = {}
    for age, entries in enumerate(records.order_by("-served_at").values_list("entries", flat=True)[:PAGES_READ]):
        for entry in entries:
            for name in ("post_id", "repost_of_id"):
                if entry.get(name):
                    last.setdefault(int(entry[name]), age)
    return np.array(list(last), np.int64), np.array(list(last.values()), np.int64)

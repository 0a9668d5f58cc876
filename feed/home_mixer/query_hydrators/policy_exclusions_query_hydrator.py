"""Accounts that an outside rule keeps out of recommendations where the viewer is."""

from typing import Any

import numpy as np

from feed.candidate_pipeline import QueryHydrator
from feed.home_mixer.query import ScoredPostsQuery
from feed.home_mixer.query_hydrators import GRAPH_MS
from xsocial.kernel import clock, sql

# Inside their dates, for everybody or for this country.
_IN_FORCE = f"""
SELECT {sql.packed("account_id")} FROM feed_policyexclusion
 WHERE starts_at <= %(now)s AND (ends_at IS NULL OR ends_at > %(now)s) AND country_code IN ('', %(country)s)
"""


class PolicyExclusionsQueryHydrator(QueryHydrator):
    """The list is empty by default and small when it is not."""

    writes = ("policy_excluded_ids",)
    timeout_ms = GRAPH_MS
    essential = True

    def hydrate(self, query: ScoredPostsQuery) -> dict[str, Any]:
        """One query."""
        found = sql.row(_IN_FORCE, {"now": clock.now(), "country": query.country_code})
        return {"policy_excluded_ids": np.unique(sql.unpacked(found[0] if found else None))}

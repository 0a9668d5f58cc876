"""Accounts that an outside rule keeps out of recommendations where the viewer is."""

from typing import Any

import numpy as np

from feed.candidate_pipeline import QueryHydrator
from feed.home_mixer.query import ScoredPostsQuery
from feed.home_mixer.query_hydrators import GRAPH_MS
from feed.models import PolicyExclusion


class PolicyExclusionsQueryHydrator(QueryHydrator):
    """The list is empty by default and small when it is not."""

    writes = ("policy_excluded_ids",)
    timeout_ms = GRAPH_MS
    essential = True

    def hydrate(self, query: ScoredPostsQuery) -> dict[str, Any]:
        """One query."""
        rows = PolicyExclusion.objects.in_force(query.country_code).values_list("account_id", flat=True)
        return {"policy_excluded_ids": np.unique(np.fromiter(rows, np.int64))}

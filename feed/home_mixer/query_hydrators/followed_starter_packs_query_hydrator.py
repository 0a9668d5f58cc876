"""Starter packs the viewer follows."""

from typing import Any

import numpy as np

from accounts.selectors import interests
from feed.candidate_pipeline import QueryHydrator
from feed.home_mixer import graph
from feed.home_mixer.query import ScoredPostsQuery

PACKS = 20


class FollowedStarterPacksQueryHydrator(QueryHydrator):
    """20 yes-or-no values: place i is pack i of the platform's list."""

    writes = ("followed_starter_packs",)

    def enabled(self, query: ScoredPostsQuery) -> bool:
        """With context features and for shadow traffic, where a model is asked."""
        return query.wants_context and not query.has_cached_posts

    def hydrate(self, query: ScoredPostsQuery) -> dict[str, Any]:
        """The viewer's edges, and one query for the list where any pack is followed."""
        followed = graph.of_viewer(query).starter_packs
        packs = np.zeros(PACKS, bool)
        if len(followed):
            listed = interests.starter_pack_ids(limit=PACKS)
            packs[: len(listed)] = np.isin(listed, followed)
        return {"followed_starter_packs": packs}

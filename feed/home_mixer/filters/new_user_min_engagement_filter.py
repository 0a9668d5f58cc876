"""A floor of engagement for strangers' posts while a viewer is new or has just returned."""

from itertools import pairwise

import numpy as np

from feed.candidate_pipeline import Batch, Filter
from feed.home_mixer.candidate import NO
from feed.home_mixer.query import ScoredPostsQuery

DAY_MS = 86_400_000


class NewUserMinEngagementFilter(Filter):
    """Off by default. A post whose figures are unknown stays; if none is known nothing happens."""

    reads = ("in_network", "favorites", "replies", "reposts", "quotes", "views")

    def enabled(self, query: ScoredPostsQuery) -> bool:
        """For accounts, or returns, younger than the window."""
        params = query.params
        ages_s = (query.account_age_s, seconds_since_return(query))
        return params.min_engagement_enabled and min(ages_s) < params.min_engagement_window_s

    def keep(self, query: ScoredPostsQuery, batch: Batch) -> np.ndarray:
        """A mask over the rows."""
        values = engagement(query, batch)
        if np.isnan(values).all():
            return np.ones(batch.n, bool)
        return ~((batch["in_network"] == NO) & (values < query.params.min_engagement))


def engagement(query: ScoredPostsQuery, batch: Batch) -> np.ndarray:
    """The configured figure per candidate, NaN where unknown; as a share of views if so configured."""
    views, metric = batch["views"], query.params.min_engagement_metric
    values = batch["favorites"]
    if metric == "engagement":
        values = values + sum(np.nan_to_num(batch[name], nan=0.0) for name in ("replies", "reposts", "quotes"))
    elif metric == "views":
        values = views
    if query.params.min_engagement_ratio:
        values = np.divide(values, views, out=np.full(batch.n, np.nan), where=views > 0)
    return values


def seconds_since_return(query: ScoredPostsQuery) -> float:
    """Since the look at a feed that ended a long absence; infinite for viewers who were never long away."""
    gap_ms = query.params.resurrection_gap_days * DAY_MS
    times = sorted({query.now_ms, *query.request_times_ms, query.following_at_ms or query.now_ms}, reverse=True)
    for newer, older in pairwise(times):
        if newer - older >= gap_ms:
            return (query.now_ms - newer) / 1000
    return float("inf")

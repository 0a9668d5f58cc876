"""Ads the viewer is eligible for."""

import numpy as np

from ads.services.serving import eligible_ads
from ads.types import AdViewer
from feed.candidate_pipeline import Batch, Source
from feed.home_mixer import feed_item, graph
from feed.home_mixer.query import ScoredPostsQuery


class AdsSource(Source):
    """More than fit: adjacency rules refuse some."""

    writes = ("kind", "item")

    def enabled(self, query: ScoredPostsQuery) -> bool:
        """Never in a preview."""
        return query.params.enable_ads and not query.is_preview

    def fetch(self, query: ScoredPostsQuery) -> Batch:
        """The winners of the auction."""
        found = eligible_ads(viewer=ad_viewer(query), limit=query.params.ads_limit, request_id=query.request_id)
        return feed_item.items(feed_item.AD, list(found))


def ad_viewer(query: ScoredPostsQuery) -> AdViewer:
    """What eligibility may know: read here, because the outer pipeline has no graph of its own."""
    edges = graph.of_viewer(query)
    excluded = np.concatenate([edges.blocked, edges.muted, edges.blocked_by])
    return AdViewer(
        id=query.user_id,
        country_code=query.viewer.country_code,
        language=query.viewer.language,
        followed_topic_ids=frozenset(edges.topics.tolist() if query.viewer.personalises_ads else ()),
        excluded_user_ids=frozenset(excluded.tolist()),
        personalises_ads=query.viewer.personalises_ads,
    )

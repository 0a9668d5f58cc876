"""Accounts the viewer may want to follow."""

from accounts.selectors import graph
from feed.candidate_pipeline import Batch, Source
from feed.home_mixer import feed_item
from feed.home_mixer.query import ScoredPostsQuery

SHOWN = 3


class WhoToFollowSource(Source):
    """The first three of those whom the viewer's follows follow; nobody shown lately."""

    writes = ("kind", "item")

    def enabled(self, query: ScoredPostsQuery) -> bool:
        """When the last suggestions are long enough ago, and only on a first page."""
        return query.params.enable_who_to_follow and query.who_to_follow_eligible and not query.has_cursor

    def fetch(self, query: ScoredPostsQuery) -> Batch:
        """One query; no item when there is nobody to suggest."""
        people = graph.friends_of_friends(query.user_id, exclude=query.who_to_follow_shown, limit=SHOWN)
        module = feed_item.WhoToFollowModule(tuple(people.tolist()))
        return feed_item.items(feed_item.WHO_TO_FOLLOW, [module] if module.user_ids else [])

"""Topics the viewer follows, and for young accounts the topics to begin with."""

from typing import Any

from feed.candidate_pipeline import QueryHydrator
from feed.home_mixer import graph, topics
from feed.home_mixer.query import ScoredPostsQuery


class FollowedGrokTopicsQueryHydrator(QueryHydrator):
    """32 yes-or-no values over the parent topics; the ids themselves as new-user topics while the account is young."""

    writes = ("followed_grok_topics", "new_user_topic_ids")

    def enabled(self, query: ScoredPostsQuery) -> bool:
        """Where a model is asked, with context features or for shadow traffic; and where topics help newcomers."""
        asks_model = not query.has_cached_posts and (query.wants_context or _helps_newcomers(query))
        return asks_model or _begins_with_topics(query)

    def hydrate(self, query: ScoredPostsQuery) -> dict[str, Any]:
        """The viewer's edges and the topic tree. New-user topics are left alone on topic and in-network requests."""
        followed = tuple(graph.of_viewer(query).topics.tolist())
        fields: dict[str, Any] = {"followed_grok_topics": topics.of_request(query.memo).multi_hot(followed)}
        if followed and _begins_with_topics(query):
            fields["new_user_topic_ids"] = followed
        return fields


def _helps_newcomers(query: ScoredPostsQuery) -> bool:
    return query.params.enable_phoenix_topics or query.params.new_user_topic_filtering


def _begins_with_topics(query: ScoredPostsQuery) -> bool:
    """Whether the viewer is a newcomer on a general page."""
    is_general = not (query.is_topic_request or query.in_network_only)
    return _helps_newcomers(query) and is_general and query.account_age_s < query.params.new_user_topic_age_s

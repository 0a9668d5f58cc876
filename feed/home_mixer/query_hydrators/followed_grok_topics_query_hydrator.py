"""Topics the viewer follows, and for young accounts the topics to begin with."""

from typing import Any

from feed.candidate_pipeline import QueryHydrator
from feed.home_mixer import graph
from feed.home_mixer.query import ScoredPostsQuery


class FollowedGrokTopicsQueryHydrator(QueryHydrator):
    """Followed topic ids; also as new-user topics while the account is young."""

    writes = ("followed_topic_ids", "new_user_topic_ids")

    def hydrate(self, query: ScoredPostsQuery) -> dict[str, Any]:
        """One query. New-user topics are left alone on topic and in-network requests."""
        topics = tuple(graph.of_viewer(query).topics.tolist())
        params = query.params
        wanted = params.enable_phoenix_topics or params.new_user_topic_filtering
        general = not (query.is_topic_request or query.in_network_only)
        young = query.account_age_s < params.new_user_topic_age_s
        fields: dict[str, Any] = {"followed_topic_ids": topics}
        if wanted and general and young and topics:
            fields["new_user_topic_ids"] = topics
        return fields

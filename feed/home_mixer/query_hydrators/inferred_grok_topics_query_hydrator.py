"""Topics a viewer seems to like: those of what they liked lately, worked out by a scheduled job."""

from typing import Any

from feed.candidate_pipeline import QueryHydrator
from feed.home_mixer import topics
from feed.home_mixer.query import ScoredPostsQuery
from feed.models import InferredTopics


class InferredGrokTopicsQueryHydrator(QueryHydrator):
    """32 yes-or-no values over the parent topics, at most a few of them yes."""

    writes = ("inferred_grok_topics",)

    def enabled(self, query: ScoredPostsQuery) -> bool:
        """By parameter."""
        return query.params.enable_inferred_topics

    def hydrate(self, query: ScoredPostsQuery) -> dict[str, Any]:
        """One query, and the topic tree."""
        row = InferredTopics.objects.filter(user_id=query.user_id).values_list("topic_ids", flat=True).first()
        if row is None:
            return {}
        tree = topics.of_request(query.memo)
        return {"inferred_grok_topics": tree.multi_hot(row, at_most=query.params.max_inferred_topics)}

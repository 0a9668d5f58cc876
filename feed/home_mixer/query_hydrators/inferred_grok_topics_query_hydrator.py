"""Topics a viewer seems to like: those of what they liked lately, worked out by a scheduled job."""

from typing import Any

import orjson

from feed.candidate_pipeline import QueryHydrator
from feed.home_mixer import topics
from feed.home_mixer.query import ScoredPostsQuery
from xsocial.kernel import sql

_TOPICS = "SELECT topic_ids::text FROM feed_inferredtopics WHERE user_id = %(who)s"


class InferredGrokTopicsQueryHydrator(QueryHydrator):
    """32 yes-or-no values over the parent topics, at most a few of them yes."""

    writes = ("inferred_grok_topics",)

    def enabled(self, query: ScoredPostsQuery) -> bool:
        """By parameter, where a model is asked: nobody else reads them."""
        return query.params.enable_inferred_topics and not query.has_cached_posts

    def hydrate(self, query: ScoredPostsQuery) -> dict[str, Any]:
        """One query, and the topic tree."""
        found = sql.row(_TOPICS, {"who": query.user_id})
        if found is None:
            return {}
        tree, liked = topics.of_request(query.memo), orjson.loads(found[0])
        return {"inferred_grok_topics": tree.multi_hot(liked, at_most=query.params.max_inferred_topics)}

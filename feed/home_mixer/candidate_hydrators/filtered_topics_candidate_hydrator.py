"""Topics of the original, at the asked confidence and without any."""

from typing import Any

from feed.candidate_pipeline import Batch, Hydrator
from feed.home_mixer.candidate import original_ids
from feed.home_mixer.query import ScoredPostsQuery
from posts.selectors import hydration


class FilteredTopicsCandidateHydrator(Hydrator):
    """Runs on cached requests too, because the topic wishes may have changed."""

    reads = ("post_id", "repost_of_id")
    writes = ("filtered_topics", "unfiltered_topics")

    def enabled(self, query: ScoredPostsQuery) -> bool:
        """Only when a topic filter will ask."""
        newcomer = query.params.new_user_topic_filtering and bool(query.new_user_topic_ids)
        return query.is_topic_request or bool(query.excluded_topic_ids) or newcomer

    def hydrate(self, query: ScoredPostsQuery, batch: Batch) -> dict[str, Any]:
        """One query per mode: everything, and what is confident enough."""
        originals = original_ids(batch).tolist()
        unfiltered = hydration.topics_of(originals)
        loose = query.is_bulk_topic_request or bool(query.excluded_topic_ids)
        filtered = unfiltered
        if not loose:
            filtered = hydration.topics_of(originals, min_confidence=query.params.topic_confidence)
        return {
            "filtered_topics": [filtered.get(post_id, set()) for post_id in originals],
            "unfiltered_topics": [unfiltered.get(post_id, set()) for post_id in originals],
        }

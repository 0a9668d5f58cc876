"""Topics of the original: those the request's mode trusts, and all of them."""

from typing import Any

from feed.candidate_pipeline import Batch, Hydrator
from feed.home_mixer import topic_modes
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
        """One query for all links; the mode is applied to them here."""
        mode, originals = topic_modes.of_query(query), original_ids(batch).tolist()
        filtered: dict[int, set[int]] = {}
        unfiltered: dict[int, set[int]] = {}
        for post_id, topic_id, confidence, is_curated in hydration.topic_links(originals):
            unfiltered.setdefault(post_id, set()).add(topic_id)
            if topic_modes.trusts(mode, confidence, is_curated):
                filtered.setdefault(post_id, set()).add(topic_id)
        return {
            "filtered_topics": [filtered.get(post_id, set()) for post_id in originals],
            "unfiltered_topics": [unfiltered.get(post_id, set()) for post_id in originals],
        }

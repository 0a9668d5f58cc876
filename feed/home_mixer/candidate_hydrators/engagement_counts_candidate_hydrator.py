"""Likes, replies, reposts, quotes and views of the original."""

from feed.candidate_pipeline import Batch, CachedHydrator, Hydrated
from feed.home_mixer.candidate import original_ids
from feed.home_mixer.process_cache import ProcessCache
from feed.home_mixer.query import ScoredPostsQuery
from posts.selectors import hydration
from xsocial.kernel import clock, ids

CAPACITY = 1_000_000
YOUNG_MS = 30 * 60_000
YOUNG_TTL_S, OLD_TTL_S = 300.0, 600.0


class EngagementCountsCandidateHydrator(CachedHydrator):
    """They go into the model. Upstream keeps them five minutes for young posts and ten for older ones; on a
    small platform they are read anew each time, because freshness is what they are for.
    """

    reads = ("post_id", "repost_of_id")
    writes = ("favorites", "replies", "reposts", "quotes", "views")
    urgency = 2  # the longest question that waits for nobody

    def __init__(self) -> None:
        super().__init__(ProcessCache(CAPACITY, ttl_s))

    def enabled(self, query: ScoredPostsQuery) -> bool:
        """With context features or shadow traffic, for fresh candidates."""
        return query.wants_context and not query.has_cached_posts

    def hydrate(self, query: ScoredPostsQuery, batch: Batch) -> Hydrated:
        """One query, for all rows or for those not in memory."""
        if query.params.cache_engagement_counts:
            return super().hydrate(query, batch)
        return self.fetch(query, batch)

    def keys(self, query: ScoredPostsQuery, batch: Batch) -> list:
        """The original posts."""
        return original_ids(batch).tolist()

    def fetch(self, query: ScoredPostsQuery, misses: Batch) -> Hydrated:
        """One query."""
        counts = hydration.count_rows(original_ids(misses))
        return Hydrated({name: counts[:, place] for place, name in enumerate(self.writes)})


def ttl_s(post_id: int) -> float:
    """How long the counts of a post are kept."""
    return YOUNG_TTL_S if clock.now_ms() - ids.timestamp_ms(post_id) < YOUNG_MS else OLD_TTL_S

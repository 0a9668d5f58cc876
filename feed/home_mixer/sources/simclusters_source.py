"""Posts near what the viewer engaged with lately, in the space of communities."""

from collections.abc import Sequence

import numpy as np

from feed.candidate_pipeline import Batch, Source
from feed.home_mixer import communities, retrieval, served_types
from feed.home_mixer.arrays import first_of
from feed.home_mixer.communities import Neighbours
from feed.home_mixer.query import ScoredPostsQuery


class SimclustersSource(Source):
    """What people who like the same things liked: neighbours of every recent signal, taken in turn."""

    writes = retrieval.WRITES

    def enabled(self, query: ScoredPostsQuery) -> bool:
        """By parameter, with at least one signal; never for topic, in-network or cached requests."""
        general = not query.is_topic_request or query.is_bulk_topic_request
        has_signal = len(query.engagement_signals) > 0
        return query.params.enable_simclusters and general and has_signal and retrieval.is_open(query)

    def fetch(self, query: ScoredPostsQuery) -> Batch:
        """One query for the seeds' communities, one for the posts' rows; nothing before the first run of the job."""
        params = query.params
        index = communities.index(params)
        if index is None or not len(index.post_ids):
            return retrieval.recommended(query, np.zeros(0, np.int64), np.zeros(0), served_types.SIMCLUSTERS)
        seeds = query.engagement_signals[:, 1]
        seeds = seeds[first_of(seeds)]
        each = max(1, params.simclusters_budget // len(seeds))
        neighbours = [(posts[:each], cosines[:each]) for posts, cosines in index.nearest(seeds, params)]
        chosen, worth = interleave(neighbours, without=query.seen_ids, limit=params.simclusters_max_results)
        found = retrieval.recommended(query, chosen, worth, served_types.SIMCLUSTERS)
        return found.take(found["author_id"] != 0)


def interleave(neighbours: Sequence[Neighbours], *, without: np.ndarray, limit: int) -> tuple[np.ndarray, np.ndarray]:
    """One post of each seed in turn until there are enough; what was taken already is passed over.

    ``neighbours`` are posts and cosines per seed, best first.
    """
    waiting = [zip(posts.tolist(), cosines.tolist(), strict=True) for posts, cosines in neighbours]
    seen, taken = set(without.tolist()), {}
    while waiting and len(taken) < limit:
        left = []
        for seed in waiting:
            fresh = next(((post, cosine) for post, cosine in seed if post not in taken and post not in seen), None)
            if fresh is not None:
                taken[fresh[0]] = fresh[1]
                left.append(seed)
        waiting = left
    chosen = list(taken.items())[:limit]
    return np.array([post for post, _ in chosen], np.int64), np.array([cosine for _, cosine in chosen], np.float64)

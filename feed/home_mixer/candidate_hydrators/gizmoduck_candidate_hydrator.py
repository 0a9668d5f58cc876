"""Followers and handle of the author, handle of the reposted author."""

import numpy as np

from feed.candidate_pipeline import Batch, Hydrated
from feed.home_mixer import post_rows
from feed.home_mixer.candidate_hydrators._fresh import FreshHydrator
from feed.home_mixer.query import ScoredPostsQuery
from posts.selectors import hydration


class GizmoduckCandidateHydrator(FreshHydrator):
    """Named after the published profile service; an unknown author stays unknown."""

    reads = ("author_id", "post_id")
    writes = ("author_followers", "author_name", "author_is_adult", "repost_of_name")
    urgency = 1

    def hydrate(self, query: ScoredPostsQuery, batch: Batch) -> Hydrated:
        """One query for authors and reposted authors together."""
        authors = batch["author_id"]
        reposted = post_rows.of_candidates(query.memo, batch).repost_of_user_id
        people = hydration.author_rows(np.concatenate([authors, reposted]))
        n = batch.n
        return Hydrated(
            {
                "author_followers": people.followers[:n],
                "author_name": people.username[:n],
                "author_is_adult": people.is_adult[:n],
                "repost_of_name": people.username[n:],
            },
            ok=people.found[:n],
        )

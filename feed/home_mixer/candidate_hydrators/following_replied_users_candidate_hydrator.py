"""Faces of people one follows who answered a post."""

from typing import Any

import numpy as np

from feed.candidate_pipeline import Batch, Hydrator
from feed.home_mixer.query import ScoredPostsQuery

LEAST_FOLLOWERS = 1_000


class FollowingRepliedUsersCandidateHydrator(Hydrator):
    """Off by default, and for viewers with many followers only. Roots alone have faces."""

    reads = ("post_id", "author_id", "in_reply_to_id")
    writes = ("following_replied_user_ids",)
    inline = True

    def enabled(self, query: ScoredPostsQuery) -> bool:
        """By parameter, from a thousand followers on."""
        return query.params.enable_facepile and query.viewer.follower_count >= LEAST_FOLLOWERS

    def hydrate(self, query: ScoredPostsQuery, batch: Batch) -> dict[str, Any]:
        """From the replies Thunder returned for this request; nothing is read."""
        authors, parents = query.memo.get("in_network_replies", (np.zeros(0, np.int64),) * 2)
        repliers: dict[int, set[int]] = {}
        for author, parent in zip(authors.tolist(), parents.tolist(), strict=True):
            repliers.setdefault(parent, set()).add(author)
        least, room = max(query.params.facepile_min_users, 0), max(query.params.facepile_max_posts, 0)
        faces: list[tuple[int, ...]] = []
        columns = (batch[name].tolist() for name in self.reads)
        for post_id, author_id, parent in zip(*columns, strict=True):
            found = tuple(sorted(repliers.get(post_id, set()) - {author_id}))
            is_chosen = not parent and len(found) >= least and room > 0
            room -= is_chosen
            faces.append(found if is_chosen else ())
        return {"following_replied_user_ids": faces}

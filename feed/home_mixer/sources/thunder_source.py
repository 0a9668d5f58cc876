"""Recent posts by the accounts the viewer follows."""

import numpy as np

from feed.candidate_pipeline import Batch, Source
from feed.home_mixer import served_types
from feed.home_mixer.candidate import SCHEMA, ancestor_tuples
from feed.home_mixer.query import ScoredPostsQuery
from feed.thunder import service


class ThunderSource(Source):
    """In-network candidates, newest first, without what the client says was seen."""

    writes = (
        "post_id",
        "author_id",
        "in_reply_to_id",
        "repost_of_id",
        "ancestors",
        "served_type",
        "source_rank",
    )

    def enabled(self, query: ScoredPostsQuery) -> bool:
        """Not when the candidates of the page before are at hand."""
        return not query.has_cached_posts

    def fetch(self, query: ScoredPostsQuery) -> Batch:
        """One lookup in memory, or PostgreSQL in its place."""
        posts = service.recent_posts(
            viewer_id=query.user_id,
            following=query.followed_user_ids,
            exclude=query.seen_ids,
            max_results=query.params.thunder_max_results,
        )
        kind = served_types.RANKED_FOLLOWING if query.in_network_only else served_types.IN_NETWORK
        is_reply = posts.in_reply_to_id != 0
        # Who answered what: faces beside posts are made of it.
        query.memo.put("in_network_replies", (posts.author_id[is_reply], posts.in_reply_to_id[is_reply]))
        return Batch.of(
            SCHEMA,
            post_id=posts.post_id,
            author_id=posts.author_id,
            in_reply_to_id=posts.in_reply_to_id,
            repost_of_id=posts.repost_of_id,
            ancestors=ancestor_tuples(posts.in_reply_to_id, np.where(is_reply, posts.conversation_id, 0)),
            served_type=np.full(len(posts), kind, dtype=object),
            source_rank=np.arange(1, len(posts) + 1),
        )

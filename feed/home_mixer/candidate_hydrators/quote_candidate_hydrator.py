"""The quoted post, its author, and whether that author blocks the viewer."""

from typing import Any

from feed.candidate_pipeline import Batch
from feed.home_mixer import graph, post_rows
from feed.home_mixer.arrays import among
from feed.home_mixer.candidate_hydrators._fresh import FreshHydrator
from feed.home_mixer.query import ScoredPostsQuery


class QuoteCandidateHydrator(FreshHydrator):
    """Quote links of the post itself; what the ranker reads is that of the original."""

    reads = ("post_id", "repost_of_id")
    writes = ("quote_of_id", "quote_of_user_id", "quoted_author_blocks_viewer", "is_quote", "quoted_video_ms")

    def hydrate(self, query: ScoredPostsQuery, batch: Batch) -> dict[str, Any]:
        """Shared post rows and shared blockers."""
        rows = post_rows.of_candidates(query.memo, batch)
        originals = post_rows.of_originals(query.memo, batch)
        return {
            "quote_of_id": rows.quote_of_id,
            "quote_of_user_id": rows.quote_of_user_id,
            "quoted_author_blocks_viewer": among(rows.quote_of_user_id, graph.of_viewer(query).blocked_by),
            "is_quote": originals.quote_of_id > 0,
            "quoted_video_ms": originals.quoted_video_ms,
        }

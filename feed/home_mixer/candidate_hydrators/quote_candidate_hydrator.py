"""The quoted post, its author, and whether that author blocks the viewer."""

from typing import Any

from feed.candidate_pipeline import Batch
from feed.home_mixer import graph, post_rows
from feed.home_mixer.arrays import among
from feed.home_mixer.candidate_hydrators._fresh import FreshHydrator
from feed.home_mixer.query import ScoredPostsQuery


class QuoteCandidateHydrator(FreshHydrator):
    """Quote links; the quoted video's length only when the ranking asks for it."""

    reads = ("post_id",)
    writes = ("quote_of_id", "quote_of_user_id", "quoted_author_blocks_viewer", "quoted_video_ms")

    def hydrate(self, query: ScoredPostsQuery, batch: Batch) -> dict[str, Any]:
        """Shared post rows and shared blockers; one more read for quoted videos if wanted."""
        rows = post_rows.of_candidates(query.memo, batch)
        columns = {
            "quote_of_id": rows.quote_of_id,
            "quote_of_user_id": rows.quote_of_user_id,
            "quoted_author_blocks_viewer": among(rows.quote_of_user_id, graph.of_viewer(query).blocked_by),
        }
        if query.params.check_quoted_video:
            columns["quoted_video_ms"] = post_rows.of_request(query.memo).get(rows.quote_of_id).video_ms
        return columns

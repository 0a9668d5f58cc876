"""What both Phoenix sources share: one question to the retrieval model."""

from __future__ import annotations

import numpy as np

from feed.candidate_pipeline import Batch
from feed.home_mixer import post_rows, served_types
from feed.home_mixer.candidate import SCHEMA, ancestor_tuples
from feed.home_mixer.query import ScoredPostsQuery
from ranking import services as ranking
from xsocial.kernel.errors import Unavailable

WRITES = (
    "post_id",
    "author_id",
    "in_reply_to_id",
    "repost_of_id",
    "ancestors",
    "served_type",
    "source_rank",
    "source_score",
)


def is_open(query: ScoredPostsQuery) -> bool:
    """Whether this request takes recommendations from a model at all."""
    return not query.in_network_only and not query.has_cached_posts


def fetch(
    query: ScoredPostsQuery,
    *,
    model_name: str,
    topic_ids: tuple[int, ...] = (),
    limit: int | None = None,
    served_type: str = served_types.PHOENIX,
) -> Batch:
    """The nearest posts with their authors. Raises Unavailable without sequence or model."""
    if query.retrieval_sequence is None:
        raise Unavailable("The viewer's actions could not be read.")
    found = ranking.retrieve(
        user_id=query.user_id,
        sequence=query.retrieval_sequence,
        k=query.params.phoenix_max_results if limit is None else limit,
        newer_than_ms=query.now_ms - 1_000 * query.params.max_post_age_s,
        exclude_ids=np.concatenate([query.seen_ids, query.impressed_post_ids]),
        topic_ids=topic_ids,
        version=model_name,
    )
    return recommended(query, found.ids, found.scores, served_type)


def recommended(query: ScoredPostsQuery, post_ids: np.ndarray, scores: np.ndarray, served_type: str) -> Batch:
    """Recommended posts as candidates; the author comes with the source, as everywhere."""
    rows = post_rows.of_request(query.memo).get(post_ids)
    is_reply = rows.in_reply_to_id != 0
    return Batch.of(
        SCHEMA,
        post_id=post_ids,
        author_id=rows.author_id,
        in_reply_to_id=rows.in_reply_to_id,
        repost_of_id=rows.repost_of_id,
        ancestors=ancestor_tuples(rows.in_reply_to_id, np.where(is_reply, rows.conversation_id, 0)),
        served_type=np.full(len(post_ids), served_type, dtype=object),
        source_rank=np.arange(1, len(post_ids) + 1),
        source_score=scores,
    )

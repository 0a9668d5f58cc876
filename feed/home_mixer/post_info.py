"""Posts and viewers as the models saw them, in plain values: what logs keep to train from."""

from __future__ import annotations

from typing import Any

import numpy as np

from feed.candidate_pipeline import Batch
from feed.home_mixer.candidate import YES, original_authors, original_ids
from feed.home_mixer.params import HEADS
from feed.home_mixer.query import ScoredPostsQuery


def posts(query: ScoredPostsQuery, batch: Batch) -> list[dict[str, Any]]:
    """One dictionary per candidate: the original post, its wrapper, counts and kind. What is missing is 0."""
    is_repost = batch["repost_of_id"] > 0
    authors = original_authors(batch)
    columns = {
        "post_id": original_ids(batch),
        "author_id": authors,
        "reposting_post_id": np.where(is_repost, batch["post_id"], 0),
        "reposting_user_id": np.where(is_repost, batch["author_id"], 0),
        "quoted_post_id": batch["quote_of_id"],
        "quoted_user_id": batch["quote_of_user_id"],
        "in_reply_to_id": batch["in_reply_to_id"],
        "is_author_followed": np.isin(authors, np.append(query.followed_user_ids, query.user_id)),
        "video_ms": np.nan_to_num(batch["video_ms"], nan=0.0).astype(np.int64),
        **{name: np.nan_to_num(batch[name], nan=0.0).astype(np.int64) for name in COUNTS},
        "language": batch["language"],
        "has_media": batch["has_media"] == YES,
        "is_repost": is_repost,
        "is_quote": batch["quote_of_id"] > 0,
        "is_reply": batch["in_reply_to_id"] > 0,
    }
    rows = zip(*(column.tolist() for column in columns.values()), strict=True)
    return [dict(zip(columns, row, strict=True)) for row in rows]


COUNTS = ("favorites", "replies", "reposts", "quotes")


def viewer(query: ScoredPostsQuery) -> dict[str, Any]:
    """What is known of the viewer for the models; nothing where they said and did nothing."""
    return {
        "viewer_id": query.user_id,
        "country": query.country_code,
        "language": query.language_code,
        "platform": query.platform,
        "followers": query.viewer.follower_count,
        "following": len(query.followed_user_ids),
        "demographics": query.user_demographics,
        "gender": query.user_gender,
        "place": query.ip_location,
        "followed_topics": _places(query.followed_grok_topics),
        "inferred_topics": _places(query.inferred_grok_topics),
        "starter_packs": _places(query.followed_starter_packs),
    }


def heads(row: np.ndarray, *, without: tuple[str, ...] = ()) -> dict[str, float]:
    """Predictions of one candidate by name; a missing one is 0."""
    values = np.nan_to_num(row, nan=0.0).tolist()
    return {head: value for head, value in zip(HEADS, values, strict=True) if head not in without}


def _places(hot: np.ndarray | None) -> list[int] | None:
    return None if hot is None else np.flatnonzero(hot).tolist()

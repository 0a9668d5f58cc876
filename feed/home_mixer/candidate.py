"""The columns of a post candidate, grouped by the stage that fills them.

A column nobody filled holds its missing value: 0 for ids, NaN for numbers, None for text, -1 for
a yes-or-no that is unknown.
"""

from __future__ import annotations

import numpy as np

from feed.candidate_pipeline import Batch, Column, Schema
from feed.home_mixer.arrays import among

from .params import HEADS

UNKNOWN, NO, YES = -1, 0, 1
SEMANTIC_LEVELS, SEMANTIC_PREFIXES = 6, 3

_ID = Column(np.int64, 0)
_NUMBER = Column(np.float64, np.nan)
_TERNARY = Column(np.int8, UNKNOWN)
_OBJECT = Column(object, None)

SCHEMA = Schema(
    {
        # sources
        "post_id": _ID,
        "author_id": _ID,
        "in_reply_to_id": _ID,
        "repost_of_id": _ID,
        "ancestors": _OBJECT,  # tuple of ids, nearest first
        "served_type": _OBJECT,
        "source_rank": _ID,  # 1-based place in the source's own order
        "source_score": _NUMBER,
        # InNetwork
        "in_network": _TERNARY,
        # CoreData
        "text": _OBJECT,
        "repost_of_user_id": _ID,
        "is_reply": _TERNARY,  # of the original
        # Quote
        "quote_of_id": _ID,
        "quote_of_user_id": _ID,
        "quoted_author_blocks_viewer": _TERNARY,
        "is_quote": _TERNARY,  # of the original, as is the video
        "quoted_video_ms": _NUMBER,
        # VideoDuration, HasMedia, Subscription, LanguageCode
        "video_ms": _NUMBER,
        "has_media": _TERNARY,
        "subscription_author_id": _ID,
        "language": _OBJECT,
        # Gizmoduck, BlockedBy
        "author_followers": _NUMBER,
        "author_name": _OBJECT,
        "author_is_adult": _TERNARY,
        "repost_of_name": _OBJECT,
        "author_blocks_viewer": _TERNARY,
        # BidirectionalFollow
        "author_follows_viewer": _TERNARY,
        "is_mutual_follow_author": _TERNARY,
        # SemanticId: codes of the content, coarse to fine; -1 unknown
        "semantic_id": Column(np.int64, -1, width=SEMANTIC_LEVELS),
        # RelatedPosts, for the filters that look beyond the post itself
        "ancestor_authors": _OBJECT,  # tuple of ids
        "related_texts": _OBJECT,  # tuple of texts of what it answers and quotes
        # AuthorStanding
        "standing": _NUMBER,  # what recommendations of the author are multiplied by; NaN unknown
        # FilteredTopics
        "filtered_topics": _OBJECT,  # set of topic ids, None when not fetched
        "unfiltered_topics": _OBJECT,
        # EngagementCounts
        "favorites": _NUMBER,
        "replies": _NUMBER,
        "reposts": _NUMBER,
        "quotes": _NUMBER,
        "views": _NUMBER,
        "recent": _ID,  # likes, replies, reposts and quotes of the last hour
        # Screening
        "screened": _TERNARY,
        # PhoenixScorer: predictions in the order of params.HEADS
        "heads": Column(np.float64, np.nan, width=len(HEADS)),
        "raw_heads": Column(np.float64, np.nan, width=len(HEADS)),  # before calibration
        "prediction_id": _ID,
        "scored_at_ms": _ID,
        "model": _OBJECT,
        # RankingScorer
        "combined": _NUMBER,
        "weighted_score": _NUMBER,
        "base_score": _NUMBER,  # after the cold start; differs for at most one post of a page
        "conditions": Column(np.float64, np.nan, width=7),  # value_model.Conditions: what made terms count
        "diversity": _NUMBER,
        "author_position": _ID,  # earlier candidates of the same author
        "author_history": _NUMBER,  # what the pages before add to that
        "oon_factor": _NUMBER,
        "score": _NUMBER,
        "standing_factor": _NUMBER,
        "vm_factor": _NUMBER,
        # Slate context: place in the pool, and repeats of author and content before it
        "pool_rank": _ID,
        "author_gap": _ID,
        "semantic_counts": Column(np.int64, 0, width=SEMANTIC_PREFIXES),
        "semantic_gaps": Column(np.int64, -1, width=SEMANTIC_PREFIXES),
        # VFCandidate, AdsBrandSafety, TweetTypeMetrics
        "visibility": _OBJECT,
        "is_dropped": _TERNARY,
        "drop_ancillary": _TERNARY,
        "brand_safety": _OBJECT,
        "safety_labels": _OBJECT,  # names, sorted
        "type_metrics": _OBJECT,
        # FollowingRepliedUsers, MutualFollowJaccard
        "following_replied_user_ids": _OBJECT,  # tuple of ids
        "mutual_follow_jaccard": _NUMBER,
        # Exploration
        "propensity": _NUMBER,
    }
)


def original_ids(batch: Batch) -> np.ndarray:
    """The reposted post for reposts, else the post itself."""
    return np.where(batch["repost_of_id"] > 0, batch["repost_of_id"], batch["post_id"])


def original_authors(batch: Batch) -> np.ndarray:
    """The reposted author for reposts, else the author."""
    return np.where(batch["repost_of_user_id"] > 0, batch["repost_of_user_id"], batch["author_id"])


def related_ids(batch: Batch) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """What "already seen" looks at: the post, what it reposts and what it answers; 0 for none."""
    return batch["post_id"], batch["repost_of_id"], batch["in_reply_to_id"]


def any_related_in(batch: Batch, ids: np.ndarray) -> np.ndarray:
    """Rows of which any related id is among ``ids``."""
    related = np.stack(related_ids(batch))
    return (among(related, ids) & (related != 0)).any(axis=0)


def ancestor_tuples(parents: np.ndarray, roots: np.ndarray) -> np.ndarray:
    """Per row the answered post and, where it differs, the conversation's root."""
    pairs = zip(parents.tolist(), roots.tolist(), strict=True)
    return SCHEMA["ancestors"].of([_ancestors(parent, root) for parent, root in pairs])


def _ancestors(parent: int, root: int) -> tuple[int, ...]:
    if not parent:
        return ()
    return (parent, root) if root and root != parent else (parent,)

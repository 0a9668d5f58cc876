"""Numbers beside the identifiers: live counts, freshness, relation, likeness to the history.

The same functions serve training and serving; everything is as of the request, never of now. A
feature is addressed by name, and a checkpoint lists the names it was trained with, in order.

Shapes: R requests, C candidates, S history rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from ranking.heads import NEGATIVE, STRONG_POSITIVE, WEAK_POSITIVE
from ranking.phoenix.subjects import Subjects
from ranking.types import Bools, Floats, Int64s, Taste

MINUTE_MS = 60_000
RECENT_MS = 60 * MINUTE_MS
# Prior of the smoothed rates: this many views, of which the given share engaged.
PRIOR_VIEWS = 20.0
PRIOR_RATE = 0.04
WEAK_WEIGHT = 0.35
RECENT_HALF_LIFE_HOURS = 6.0
MATCH_LENGTH = 128
# Serving asks about every post as if it stood here, the middle of what is usually read of a page. At the top
# stands what was thought good, so that asking for the top doubles all likes and halves all complaints.
ASKED_POSITION = 10

# What brings leanings by dwell and by engagement to about one.
TASTE_SCALES = (100.0, 400.0)
FORM_SCALES = (8.0, 30.0)
INTEREST_SCALE = 4.0
AUTHOR_SCALE = 2.0

HISTORY_FEATURES = ("log_gap_minutes", "has_content", "strength")
CANDIDATE_FEATURES = (
    "log_favorites",
    "log_replies",
    "log_reposts",
    "log_quotes",
    "log_views",
    "log_recent",
    "favorite_rate",
    "engagement_rate",
    "log_age_minutes",
    "is_author_followed",
    "is_reply",
    "has_media",
    "has_video",
    "log_video_seconds",
    "is_quote",
    "has_quoted_video",
    "has_content",
    "log_idle_minutes",
    "position",
    "author_strong",
    "author_weak",
    "author_recent",
    "author_negative",
    "similarity_mean",
    "similarity_max",
    "similarity_recent",
    "similarity_negative",
    "similarity_last",
    "similarity_looked",
    "similarity_engaged",
    "form_looked",
    "form_engaged",
    "interest",
    "author_looked",
)


def form(has_media: Bools, video_ms: Int64s) -> Int64s:
    """The forms of posts, below `FORMS`."""
    return np.where(video_ms > 0, 2, has_media.astype(np.int64))


@dataclass(frozen=True)
class HistoryColumns:
    """History rows [R, S] as they were known at the request; `valid` false for padding."""

    author_ids: Int64s
    action_bits: Int64s
    first_ms: Int64s
    content: Floats  # [R, S, content size], zero where unknown
    valid: Bools

    @property
    def strong(self) -> Floats:
        return (self.valid & ((self.action_bits & STRONG_POSITIVE) != 0)).astype(np.float32)

    @property
    def weak(self) -> Floats:
        is_weak = (self.action_bits & WEAK_POSITIVE) != 0
        return (self.valid & is_weak).astype(np.float32)

    @property
    def negative(self) -> Floats:
        return (self.valid & ((self.action_bits & NEGATIVE) != 0)).astype(np.float32)

    @property
    def strength(self) -> Floats:
        """1 for a like and its kin, less for a look, 0 for rows with negative feedback."""
        return np.maximum(self.strong, WEAK_WEIGHT * self.weak) * (1 - self.negative)


@dataclass(frozen=True)
class CandidateTable:
    """Candidates [R, C] with everything known of them at the request `at_ms` [R, C]."""

    author_ids: Int64s
    created_ms: Int64s
    at_ms: Int64s
    favorites: Int64s
    replies: Int64s
    reposts: Int64s
    quotes: Int64s
    views: Int64s
    recent: Int64s
    is_author_followed: Bools
    is_reply: Bools
    has_media: Bools
    video_duration_ms: Int64s
    is_quote: Bools
    quoted_video_ms: Int64s
    position: Int64s
    content: Floats  # [R, C, content size]


def _log(counts: Int64s) -> Floats:
    return np.log1p(np.maximum(counts, 0)).astype(np.float32)


def _rate(events: Int64s, views: Int64s) -> Floats:
    """Logarithm of a smoothed rate relative to its prior; 0 knows nothing."""
    seen = np.maximum(views, events)
    rate = (events + PRIOR_VIEWS * PRIOR_RATE) / (seen + PRIOR_VIEWS)
    return np.log(rate / PRIOR_RATE).astype(np.float32)


def history_features(history: HistoryColumns, *, names: Sequence[str] = HISTORY_FEATURES) -> Floats:
    """[R, S, names]; times are relative to the newest row, so that a context can be cached."""
    newest = np.where(history.valid, history.first_ms, 0).max(axis=1, initial=0, keepdims=True)
    gap = (newest - history.first_ms) / MINUTE_MS
    values = {
        "log_gap_minutes": np.log1p(np.maximum(gap, 0)) / 4,
        "has_content": history.content.any(axis=-1),
        "strength": history.strength - history.negative,
    }
    stacked = np.stack([values[name].astype(np.float32) for name in names], axis=-1)
    return stacked * history.valid[..., None]


def candidate_features(
    history: HistoryColumns,
    candidates: CandidateTable,
    taste: Taste | None = None,
    subjects: Subjects | None = None,
    *,
    names: Sequence[str] = CANDIDATE_FEATURES,
) -> Floats:
    """[R, C, names]; without a taste as for people of whom nothing is known. `subjects` are the ranker's."""
    values = {**_count_features(candidates), **_post_features(history, candidates)}
    values |= _author_matches(history, candidates)
    values |= _content_matches(history, candidates)
    taste = taste or Taste.none(*candidates.content.shape[::2])
    values |= _taste_matches(taste, candidates)
    values["interest"] = _interest(taste, candidates, subjects)
    values["author_looked"] = _author_looked(taste, candidates)
    return np.stack([values[name].astype(np.float32, copy=False) for name in names], axis=-1)


def _count_features(c: CandidateTable) -> dict[str, Floats]:
    engaged = c.favorites + c.replies + c.reposts + c.quotes
    return {
        "log_favorites": _log(c.favorites),
        "log_replies": _log(c.replies),
        "log_reposts": _log(c.reposts),
        "log_quotes": _log(c.quotes),
        "log_views": _log(c.views) / 2,
        "log_recent": _log(c.recent),
        "favorite_rate": _rate(c.favorites, c.views),
        "engagement_rate": _rate(engaged, c.views),
    }


def _post_features(history: HistoryColumns, c: CandidateTable) -> dict[str, Floats]:
    age = np.maximum(c.at_ms - c.created_ms, 0) / MINUTE_MS
    newest = np.where(history.valid, history.first_ms, 0).max(axis=1, initial=0)[:, None]
    idle = np.where(newest > 0, np.maximum(c.at_ms - newest, 0) / MINUTE_MS, 0)
    return {
        "log_age_minutes": np.log1p(age) / 4,
        "is_author_followed": c.is_author_followed.astype(np.float32),
        "is_reply": c.is_reply.astype(np.float32),
        "has_media": c.has_media.astype(np.float32),
        "has_video": (c.video_duration_ms > 0).astype(np.float32),
        "log_video_seconds": np.log1p(c.video_duration_ms / 1000) / 4,
        "is_quote": c.is_quote.astype(np.float32),
        "has_quoted_video": (c.quoted_video_ms > 0).astype(np.float32),
        "has_content": c.content.any(axis=-1).astype(np.float32),
        "log_idle_minutes": np.log1p(idle) / 8,
        "position": position_feature(c.position),
    }


def position_feature(position: Int64s | int) -> Floats:
    """Places from 0 at the top, by logarithm."""
    return (np.log1p(np.maximum(position, 0)) / 3).astype(np.float32)


def _recency(history: HistoryColumns, c: CandidateTable) -> Floats:
    """Weight [R, S] that halves every six hours before the request."""
    request_ms = c.at_ms.max(axis=1, keepdims=True)
    hours = np.maximum(request_ms - history.first_ms, 0) / (60 * MINUTE_MS)
    return np.exp2(-hours / RECENT_HALF_LIFE_HOURS).astype(np.float32) * history.valid


def _author_matches(history: HistoryColumns, c: CandidateTable) -> dict[str, Floats]:
    same = (c.author_ids[:, :, None] == history.author_ids[:, None, :]).astype(np.float32)
    weights = np.stack([history.strong, history.weak, _recency(history, c), history.negative], axis=-1)
    sums = np.log1p(same @ weights)
    names = ("author_strong", "author_weak", "author_recent", "author_negative")
    return {name: sums[..., i] for i, name in enumerate(names)}


def _content_matches(history: HistoryColumns, c: CandidateTable) -> dict[str, Floats]:
    """Cosine likeness of a candidate's content to what the history liked."""
    # torch: NumPy multiplies stacks of matrices one by one, and without its fast kernels.
    history_content = torch.from_numpy(history.content).transpose(1, 2)
    likeness = torch.bmm(torch.from_numpy(c.content), history_content).numpy()  # [R, C, S]
    strength = history.strength
    recent = strength * _recency(history, c)
    last = strength * (np.cumsum(history.valid[:, ::-1], axis=1)[:, ::-1] <= 8)
    liked = (strength > 0)[:, None, :]
    return {
        "similarity_mean": _weighted(likeness, strength, 0.5),
        "similarity_max": np.where(liked, likeness, 0).max(axis=-1, initial=0),
        "similarity_recent": _weighted(likeness, recent, 0.2),
        "similarity_last": _weighted(likeness, last, 0.2),
        "similarity_negative": (likeness * history.negative[:, None]).max(axis=-1, initial=0),
    }


def _taste_matches(taste: Taste, c: CandidateTable) -> dict[str, Floats]:
    """How far content and form of a candidate are what a viewer looks at, and engages with, more than at others."""
    leaning = torch.from_numpy(taste.content.astype(np.float32)).transpose(1, 2)
    likeness = torch.bmm(torch.from_numpy(c.content), leaning).numpy()  # [R, C, 2]
    requests = np.arange(len(likeness))[:, None]
    forms = taste.forms.astype(np.float32)[requests, :, form(c.has_media, c.video_duration_ms)]
    return {
        "similarity_looked": likeness[..., 0] * TASTE_SCALES[0],
        "similarity_engaged": likeness[..., 1] * TASTE_SCALES[1],
        "form_looked": forms[..., 0] * FORM_SCALES[0],
        "form_engaged": forms[..., 1] * FORM_SCALES[1],
    }


def _interest(taste: Taste, c: CandidateTable, subjects: Subjects | None) -> Floats:
    """What a look at a candidate is worth to a viewer, by its subjects; 0 where the taste is in terms of others."""
    if subjects is None or taste.mark != subjects.mark or not taste.mark:
        return np.zeros(c.content.shape[:2], np.float32)
    interests = torch.from_numpy(taste.subjects.astype(np.float32))
    return (subjects(torch.from_numpy(c.content)) @ interests[..., None])[..., 0].numpy() * INTEREST_SCALE


def _author_looked(taste: Taste, c: CandidateTable) -> Floats:
    """How far a viewer's looks at a candidate's author were worth more than others; 0 where there were few."""
    same = (c.author_ids[:, :, None] == taste.author_ids[:, None, :]).astype(np.float32)
    return (same @ taste.authors.astype(np.float32)[..., None])[..., 0] * AUTHOR_SCALE


def _weighted(likeness: Floats, weights: Floats, prior: float) -> Floats:
    total = weights.sum(axis=1)[:, None] + prior
    return np.einsum("rcs,rs->rc", likeness, weights) / total * 3

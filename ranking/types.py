"""Plain values that other apps exchange with ranking. Arrays are NumPy columns of equal length."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

Int64s = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float32]
Bools = npt.NDArray[np.bool_]

# Forms of a post: words alone, with a picture, with a video.
FORMS = 3


@dataclass(frozen=True)
class ActionSequence:
    """What one person did, one row per post and 300-second window, oldest first.

    `action_bits` has bit k set for `EngagementKind` k; `dwell_seconds` is the longest dwell of the
    row, 0 when none was measured; `first_ms` is when the row began.
    """

    user_id: int
    post_ids: Int64s
    author_ids: Int64s
    action_bits: Int64s
    dwell_seconds: Floats
    surfaces: Int64s
    first_ms: Int64s

    def __len__(self) -> int:
        return len(self.post_ids)

    @property
    def newest_ms(self) -> int:
        """Start of the newest row; 0 for an empty sequence."""
        return int(self.first_ms[-1]) if len(self) else 0

    def version(self) -> int:
        """A number that changes with any row; the key of cached contexts."""
        columns = (self.post_ids, self.action_bits, self.first_ms, self.dwell_seconds)
        return hash((self.user_id, *(column.tobytes() for column in columns)))

    def newest(self, count: int) -> ActionSequence:
        """The same sequence cut to its newest rows."""
        start = max(len(self) - count, 0)
        columns = {name: value[start:] for name, value in vars(self).items() if name != "user_id"}
        return ActionSequence(self.user_id, **columns)


@dataclass(frozen=True)
class Taste:
    """What people [R] lean to (see `ranking.taste`): by dwell and by engagement, to contents and to forms of posts;
    by both together to the subjects that `mark` tells from others, with no columns where there are none, and to the
    authors they saw most of (0: nobody)."""

    content: Floats  # [R, 2, content size]
    forms: Floats  # [R, 2, FORMS]
    subjects: Floats = field(default_factory=lambda: np.zeros((1, 0), np.float32))  # [R, subjects]
    mark: int = 0
    author_ids: Int64s = field(default_factory=lambda: np.zeros((1, 0), np.int64))  # [R, authors]
    authors: Floats = field(default_factory=lambda: np.zeros((1, 0), np.float32))  # [R, authors]

    @classmethod
    def none(cls, count: int, content_size: int, subjects: int = 0, mark: int = 0, authors: int = 0) -> Taste:
        """Of people of whom nothing is known."""
        sizes = (2, content_size), (2, FORMS), (subjects,), (authors,)
        content, forms, interests, leans = (np.zeros((count, *size), np.float32) for size in sizes)
        return cls(content, forms, interests, mark, np.zeros((count, authors), np.int64), leans)

    def take(self, index: slice | Int64s) -> Taste:
        parts = (self.content, self.forms, self.subjects, self.author_ids, self.authors)
        content, forms, subjects, author_ids, authors = (part[index] for part in parts)
        return Taste(content, forms, subjects, self.mark, author_ids, authors)

    def put(self, index: slice | Int64s, other: Taste) -> None:
        """Make these people's taste another one, in place."""
        self.content[index], self.forms[index], self.subjects[index] = other.content, other.forms, other.subjects
        self.author_ids[index], self.authors[index] = other.author_ids, other.authors

    def halved(self) -> Taste:
        """In half precision, as it is kept in receipts."""
        content, forms, subjects, authors = (
            part.astype(np.float16) for part in (self.content, self.forms, self.subjects, self.authors)
        )
        return Taste(content, forms, subjects, self.mark, self.author_ids, authors)


@dataclass(frozen=True)
class CandidateColumns:
    """Posts to be scored: always the original post and author, never a repost's wrapper.

    Counts and relations are as of the request. A column left out counts as zero or false; views and
    recent engagements are read from the store when they are left out.
    """

    post_ids: Int64s
    author_ids: Int64s
    created_ms: Int64s
    surface: int | Int64s = 0
    favorites: Int64s | None = None
    replies: Int64s | None = None
    reposts: Int64s | None = None
    quotes: Int64s | None = None
    views: Int64s | None = None
    recent_engagements: Int64s | None = None
    is_author_followed: Bools | None = None
    is_reply: Bools | None = None
    has_media: Bools | None = None
    video_duration_ms: Int64s | None = None
    is_quote: Bools | None = None
    quoted_video_ms: Int64s | None = None

    def __len__(self) -> int:
        return len(self.post_ids)


@dataclass(frozen=True)
class Retrieved:
    """Posts by descending retrieval score, and the model version that found them."""

    ids: Int64s
    scores: Floats
    model: str


@dataclass(frozen=True)
class Scores:
    """Calibrated probabilities [N, H] and continuous predictions [N, K] (seconds, or a share of them), by head name.

    `raw_probabilities` are those before calibration.
    """

    heads: tuple[str, ...]
    probabilities: Floats
    raw_probabilities: Floats
    continuous_names: tuple[str, ...]
    continuous: Floats
    model: str
    details: dict[str, Any] = field(default_factory=dict)

    def head(self, name: str) -> Floats | None:
        """Column of a discrete head, or None when the model has no such head."""
        return self.probabilities[:, self.heads.index(name)] if name in self.heads else None

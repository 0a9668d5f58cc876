"""How many posts times loads there could have been: every public post that was young enough for a load.

Counted without going through posts load by load: of each post, how many loads fall into its life; then what
was before followers, by asking for each load only about the authors its viewer follows.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from posts.models import Post
from posts.types import Visibility
from xsocial.kernel import ids

Key = tuple[int, bool]  # author, before followers


@dataclass(frozen=True, slots=True)
class Load:
    """A page load, as far as it matters here."""

    request_id: int
    viewer_id: int
    follows: np.ndarray
    max_age_ms: int

    @property
    def oldest(self) -> int:
        """The smallest id of a post that was young enough."""
        return max(0, self.request_id - (self.max_age_ms << ids.TIMESTAMP_SHIFT))


class _Lives:
    """The posts of some authors, to be counted by author between two ids."""

    def __init__(self, authors: np.ndarray, oldest: int, newest: int) -> None:
        rows = Post.objects.filter(
            pk__gte=oldest, pk__lt=newest, deleted_at=None, visibility=Visibility.PUBLIC
        ).order_by("pk")
        found = np.array(list(rows.values_list("pk", "author_id").iterator()), np.int64).reshape(-1, 2)
        self.authors = authors
        place, wanted = self._place(found[:, 1])
        self.post, self.author = found[wanted, 0], place[wanted]
        # One number that orders by author and then by age.
        self._ordered = np.sort(self.author * (len(self.post) + 1) + np.arange(len(self.post)))

    def between(self, who: np.ndarray, oldest: int, newest: int) -> np.ndarray:
        """Of each of these authors (places), how many posts have ids from ``oldest`` to before ``newest``."""
        first, end = np.searchsorted(self.post, (oldest, newest))
        start = who * (len(self.post) + 1)
        return np.searchsorted(self._ordered, start + end) - np.searchsorted(self._ordered, start + first)

    def places(self, who: np.ndarray) -> np.ndarray:
        """Places of those who are among the authors."""
        place, wanted = self._place(who)
        return place[wanted]

    def _place(self, who: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        place = np.minimum(np.searchsorted(self.authors, who), len(self.authors) - 1)
        return place, self.authors[place] == who


def eligible(loads: Iterable[Load], authors: np.ndarray) -> Mapping[Key, int]:
    """Posts times loads by author, before followers and before others; ``authors`` rise."""
    loads = list(loads)
    lives = _Lives(authors, min(load.oldest for load in loads), max(load.request_id for load in loads))
    before_all = np.zeros(len(authors), np.int64)
    for max_age_ms in {load.max_age_ms for load in loads}:
        at = np.sort([load.request_id for load in loads if load.max_age_ms == max_age_ms])
        until = lives.post + (max_age_ms << ids.TIMESTAMP_SHIFT)
        met = np.searchsorted(at, until, side="right") - np.searchsorted(at, lives.post, side="right")
        np.add.at(before_all, lives.author, met)
    before_followers = np.zeros(len(authors), np.int64)
    for load in loads:
        followed, own = lives.places(load.follows), lives.places(np.array([load.viewer_id]))
        before_followers[followed] += lives.between(followed, load.oldest, load.request_id)
        before_all[own] -= lives.between(own, load.oldest, load.request_id)
    followers, others = before_followers.tolist(), (before_all - before_followers).tolist()
    names = authors.tolist()
    return dict(zip(((name, True) for name in names), followers, strict=True)) | dict(
        zip(((name, False) for name in names), others, strict=True)
    )

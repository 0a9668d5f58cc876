"""How many posts times loads there could have been: every post that was young enough for a load and open to its viewer.

A post is young again with each repost, and is one post all the same; it ends when it is deleted. Counted without going
through posts load by load: of each post, how many loads fall into its life; then what was before followers, by asking
for each load only about the authors its viewer follows.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

import numpy as np
from django.db.models import F
from django.db.models.functions import Coalesce

from posts.models import Post
from posts.types import Visibility
from xsocial.kernel import clock, ids

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


@dataclass(frozen=True, slots=True)
class _Posts:
    """Columns of N posts and reposts, in the order of their originals and then of writing."""

    post: np.ndarray
    original: np.ndarray
    author: np.ndarray  # place of the original's author
    deleted: np.ndarray  # the id that a post written at that moment would have
    is_open: np.ndarray  # to people who do not follow the author

    def where(self, wanted: np.ndarray) -> _Posts:
        """Some of them."""
        return _Posts(*(getattr(self, name)[wanted] for name in self.__slots__))


class _Lives:
    """When posts could be shown, in places of loads rather than in time, to be counted by author."""

    def __init__(self, posts: _Posts, loads: np.ndarray, max_age_ms: int) -> None:
        """``loads`` are ids of page loads, rising."""
        until = np.minimum(posts.post + (max_age_ms << ids.TIMESTAMP_SHIFT), posts.deleted)
        first = np.searchsorted(loads, posts.post, side="right")
        end = np.searchsorted(loads, until, side="right")
        # Of one post's lives each counts from where those before it ended.
        span = len(loads) + 1
        group = np.cumsum(np.diff(posts.original, prepend=0) != 0) * span
        ended = np.maximum.accumulate(group + end)
        first[1:] = np.maximum(first[1:], ended[:-1] - group[1:])
        is_met = end > first
        self.author, self._span = posts.author[is_met], span
        self.loads_met = (end - first)[is_met]
        self._starts = np.sort(self.author * span + first[is_met])
        self._ends = np.sort(self.author * span + end[is_met])

    def at(self, who: np.ndarray, load: int) -> np.ndarray:
        """How many posts of each of these authors (places) could be shown at a load (its place)."""
        start = who * self._span
        begun = np.searchsorted(self._starts, start + load, side="right") - np.searchsorted(self._starts, start)
        return begun - (np.searchsorted(self._ends, start + load, side="right") - np.searchsorted(self._ends, start))


def eligible(loads: Iterable[Load], authors: np.ndarray) -> Mapping[Key, int]:
    """Posts times loads by author, before followers and before others; ``authors`` rise."""
    loads = sorted(loads, key=lambda load: load.request_id)
    posts = _posts(authors, min(load.oldest for load in loads), max(load.request_id for load in loads))
    before_followers, before_others = np.zeros((2, len(authors)), np.int64)
    for max_age_ms in {load.max_age_ms for load in loads}:
        alike = [load for load in loads if load.max_age_ms == max_age_ms]
        request_ids = np.array([load.request_id for load in alike])
        lives = _Lives(posts, request_ids, max_age_ms)
        openly = _Lives(posts.where(posts.is_open), request_ids, max_age_ms)
        np.add.at(before_others, openly.author, openly.loads_met)
        for place, load in enumerate(alike):
            followed, own = _places(authors, load.follows), _places(authors, np.array([load.viewer_id]))
            before_followers[followed] += lives.at(followed, place)
            for not_others in (followed, own):
                before_others[not_others] -= openly.at(not_others, place)
    figures = ((True, before_followers), (False, before_others))
    return {
        (name, key): each
        for key, counts in figures
        for name, each in zip(authors.tolist(), counts.tolist(), strict=True)
    }


def _posts(authors: np.ndarray, oldest: int, newest: int) -> _Posts:
    """What was written by these authors, or is a repost of it, between two ids."""
    original = {"of": Coalesce("repost_of_id", "pk"), "by": Coalesce("repost_of__author_id", "author_id")}
    rows = (
        Post.objects.filter(pk__gte=oldest, pk__lt=newest)
        .exclude(visibility=Visibility.DIRECT)
        .annotate(**original, original_deleted_at=F("repost_of__deleted_at"))
        .order_by("of", "pk")
        .values_list("pk", "of", "by", "visibility", "deleted_at", "original_deleted_at")
    )
    found = [
        (post, of, by, of != post or visibility == Visibility.PUBLIC, min(map(_id_at, ends)))
        for post, of, by, visibility, *ends in rows.iterator()
    ]
    post, of, by, is_open, deleted = np.array(found, np.int64).reshape(-1, 5).T
    place = np.minimum(np.searchsorted(authors, by), len(authors) - 1)
    return _Posts(post, of, place, deleted, is_open == 1).where(authors[place] == by)


def _id_at(moment: datetime | None) -> int:
    return np.iinfo(np.int64).max if moment is None else ids.id_at(clock.to_ms(moment))


def _places(authors: np.ndarray, who: np.ndarray) -> np.ndarray:
    """Places of those who are among the authors."""
    place = np.minimum(np.searchsorted(authors, who), len(authors) - 1)
    return place[authors[place] == who]

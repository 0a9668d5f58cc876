"""Training examples from logs, vectorised: a request is one context and the posts shown with it.

A history ends strictly before the request; counts and age are as of the impression; labels are what
the person did with the post after it was shown and before it was shown again. Posts that were never
shown can be added to each request as sampled negatives.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ranking.features import ASKED_POSITION, position_feature
from ranking.phoenix.subjects import Subjects
from ranking.sequences import Rows
from ranking.training.counts import fill_features
from ranking.training.histories import histories
from ranking.training.labels import active_residual, explored, labels
from ranking.training.logs import NEGATIVES_HOURS, Impressions, Logs, Posts
from ranking.types import Bools, Floats, Int64s

PAGE = 32
# Requests whose posts are compared with their histories at a time.
BLOCK = 256
PAGE_COLUMNS = (
    "posts",
    "impression_ids",
    "impression_ms",
    "surfaces",
    "positions",
    "label_bits",
    "dwell_seconds",
    "click_seconds",
    "active_residual",
    "is_sampled",
    "features",
)


@dataclass(frozen=True)
class Examples:
    """Requests R with up to PAGE posts C each; -1 marks padding in index arrays."""

    user_ids: Int64s  # [R]
    at_ms: Int64s  # [R]
    history: Int64s  # [R, MATCH_LENGTH] indices into rows, oldest first, left-aligned
    posts: Int64s  # [R, C] indices into Posts
    impression_ids: Int64s  # [R, C]
    impression_ms: Int64s  # [R, C]
    surfaces: Int64s  # [R, C]
    positions: Int64s  # [R, C]
    label_bits: Int64s  # [R, C]
    dwell_seconds: Floats  # [R, C], 0 when unknown
    click_seconds: Floats  # [R, C]
    active_residual: Floats  # [R, C], NaN when unknown
    is_sampled: Bools  # [R, C], never shown: a negative made up for training
    features: Floats  # [R, C, F]

    def __len__(self) -> int:
        return len(self.user_ids)

    @property
    def valid(self) -> Bools:
        """Posts that were really shown, [R, C]."""
        return (self.posts >= 0) & ~self.is_sampled

    def as_asked(self, feature_names: Sequence[str]) -> Examples:
        """The same posts as if all stood at one place, which is how serving asks about them."""
        features = self.features.copy()
        features[..., feature_names.index("position")] = position_feature(ASKED_POSITION)
        return dataclasses.replace(self, features=features)

    def take(self, index: npt.NDArray[np.integer] | npt.NDArray[np.bool_] | slice) -> Examples:
        return Examples(*(column[index] for column in vars(self).values()))

    def trimmed(self) -> Examples:
        """Without the columns that are padding in every request."""
        width = int((self.posts >= 0).sum(axis=1).max(initial=1))
        cut = {name: getattr(self, name)[:, :width] for name in PAGE_COLUMNS}
        return dataclasses.replace(self, **cut)


@dataclass(frozen=True)
class Dataset:
    """Examples in order of time, with the rows and posts they point into."""

    examples: Examples
    rows: Rows
    posts: Posts
    row_posts: Int64s  # row -> index into posts, -1 unknown

    def split(self, share: float) -> tuple[Examples, Examples]:
        """Requests before and after the moment that leaves the given share of them for later."""
        cut = int(len(self.examples) * (1 - share))
        return self.examples.take(slice(cut)), self.examples.take(slice(cut, None))


def build(
    logs: Logs,
    *,
    feature_names: Sequence[str],
    subjects: Subjects | None = None,
    sampled_negatives: int = 0,
    seed: int = 0,
) -> Dataset:
    """All examples of the logs, features in terms of a ranker's subjects; several 100,000 impressions take seconds."""
    impressions = logs.impressions
    known = logs.posts.index_of(impressions.post_ids) >= 0
    impressions = impressions.take(known)
    within = impressions.at_ms < logs.until_ms
    columns = (*labels(impressions, logs.events), active_residual(impressions, logs.events))
    label_bits, dwell, click, active = (column[within] for column in columns)
    impressions = impressions.take(within)
    pages = _pages(impressions)
    first = np.where(pages >= 0, impressions.at_ms[pages], np.iinfo(np.int64).max).min(axis=1)
    users = impressions.user_ids[pages[:, 0]]
    rows, row_posts, history = histories(logs.events, logs.posts, users, first)
    examples = Examples(
        user_ids=users,
        at_ms=first,
        history=history,
        posts=_gather(logs.posts.index_of(impressions.post_ids), pages, -1),
        impression_ids=_gather(impressions.ids, pages, -1),
        impression_ms=_gather(impressions.at_ms, pages, 0),
        surfaces=_gather(impressions.surfaces, pages, 0),
        positions=_gather(impressions.positions, pages, 0),
        label_bits=_gather(label_bits, pages, 0),
        dwell_seconds=_gather(dwell, pages, 0),
        click_seconds=_gather(click, pages, 0),
        active_residual=_gather(active, pages, np.nan),
        is_sampled=np.zeros(pages.shape, dtype=bool),
        features=np.zeros((len(users), PAGE, len(feature_names)), dtype=np.float32),
    )
    dataset = Dataset(examples, rows, logs.posts, row_posts)
    examples.label_bits[:] = explored(examples.label_bits, is_new_author(dataset, examples))
    if sampled_negatives:
        _add_negatives(dataset, sampled_negatives, np.random.default_rng(seed))
    if feature_names:
        fill_features(dataset, logs, feature_names, subjects)
    return dataset


def is_new_author(dataset: Dataset, examples: Examples) -> Bools:
    """Whether nothing of the author stands in the viewer's history, for the posts shown, [R, C]."""
    authors = dataset.posts.author_ids[np.maximum(examples.posts, 0)]
    is_new = np.zeros(authors.shape, dtype=bool)
    for start in range(0, len(examples), BLOCK):
        part = slice(start, start + BLOCK)
        history = examples.history[part]
        met = np.where(history >= 0, dataset.rows.author_ids[np.maximum(history, 0)], -1)
        is_new[part] = (authors[part, :, None] != met[:, None, :]).all(axis=2)
    return is_new & examples.valid


def _gather(column: npt.NDArray, index: Int64s, fill: float) -> npt.NDArray:
    return np.where(index >= 0, column[index], np.asarray(fill, dtype=column.dtype))


def _pages(impressions: Impressions) -> Int64s:
    """Impression indices [R, PAGE] by request, requests in order of time; long ones are split."""
    order = np.lexsort((impressions.at_ms, impressions.positions, impressions.request_ids, impressions.user_ids))
    user, request = impressions.user_ids[order], impressions.request_ids[order]
    is_start = np.ones(len(order), dtype=bool)
    is_start[1:] = (np.diff(user) != 0) | (np.diff(request) != 0)
    starts = np.flatnonzero(is_start)
    rank = np.arange(len(order)) - np.repeat(starts, np.diff(np.append(starts, len(order))))
    page = np.cumsum(rank % PAGE == 0) - 1
    pages = np.full((page[-1] + 1 if len(page) else 0, PAGE), -1, dtype=np.int64)
    pages[page, rank % PAGE] = order
    times = impressions.at_ms[pages[:, 0]] if len(pages) else np.zeros(0)
    return pages[np.argsort(times, kind="stable")]


def _add_negatives(dataset: Dataset, count: int, rng: np.random.Generator) -> None:
    """Random recent posts in the free places of each page, as many as fit up to `count`.

    Each takes over moment, surface and position of a post that was shown, so that none of these
    tells them apart.
    """
    examples, posts = dataset.examples, dataset.posts
    public = np.flatnonzero(posts.is_public & ~posts.is_reply)
    public = public[np.argsort(posts.created_ms[public], kind="stable")]
    created = posts.created_ms[public]
    low = np.searchsorted(created, examples.at_ms - NEGATIVES_HOURS * 3_600_000)
    high = np.searchsorted(created, examples.at_ms)
    shown = examples.valid.sum(axis=1)
    for extra in range(count):
        fits = np.flatnonzero((high > low) & (shown + extra < PAGE))
        place = shown[fits] + extra
        chosen = public[rng.integers(low[fits], high[fits])]
        is_new = (examples.posts[fits] != chosen[:, None]).all(axis=1)
        fits, place, chosen = fits[is_new], place[is_new], chosen[is_new]
        like = rng.integers(0, shown[fits])
        for column in (examples.impression_ms, examples.surfaces, examples.positions):
            column[fits, place] = column[fits, like]
        examples.posts[fits, place] = chosen
        examples.is_sampled[fits, place] = True

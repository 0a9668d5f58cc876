"""Training examples from logs, vectorised: a request is one context and the posts shown with it.

A history ends strictly before the request; counts and age are as of the impression; labels are what
the person did with the post after it was shown and before it was shown again.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch

from posts.types import EngagementKind
from ranking.features import (
    MATCH_LENGTH,
    RECENT_MS,
    CandidateTable,
    HistoryColumns,
    candidate_features,
    history_features,
)
from ranking.heads import CLICK_DWELL_KINDS, DWELL_KINDS, multi_hot
from ranking.phoenix.actions import CONTINUOUS_HEADS
from ranking.phoenix.batch import Candidates, Context
from ranking.phoenix.config import PhoenixConfig
from ranking.sequences import (
    WINDOW_MS,
    Events,
    Rows,
    bits_of_events,
    dwell_of_events,
    group,
    is_informative,
)
from ranking.training.logs import Impressions, Logs, Posts
from ranking.types import Bools, Floats, Int64s

PAGE = 32
LABEL_WINDOW_MS = 30 * 60_000
# Composite keys put a dense index above 42 bits of milliseconds (139 years).
TIME_BITS = 42
FEATURE_BLOCK = 128
COUNTED = {
    "favorites": EngagementKind.FAVORITE,
    "replies": EngagementKind.REPLY,
    "reposts": EngagementKind.REPOST,
    "quotes": EngagementKind.QUOTE,
}


def composite(index: Int64s, at_ms: Int64s) -> Int64s:
    """One sortable number from a dense index and a time."""
    return (index.astype(np.int64) << TIME_BITS) | at_ms


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
    label_bits: Int64s  # [R, C]
    dwell_seconds: Floats  # [R, C], 0 when unknown
    click_seconds: Floats  # [R, C]
    features: Floats  # [R, C, F]

    def __len__(self) -> int:
        return len(self.user_ids)

    @property
    def valid(self) -> Bools:
        return self.posts >= 0

    def at_top(self, feature_names: Sequence[str]) -> Examples:
        """The same posts as if each stood at the top, which is how serving asks about them."""
        features = self.features.copy()
        features[..., feature_names.index("position")] = 0.0
        return dataclasses.replace(self, features=features)

    def take(self, index: npt.NDArray[np.integer] | npt.NDArray[np.bool_]) -> Examples:
        return Examples(*(column[index] for column in vars(self).values()))


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
        index = np.arange(len(self.examples))
        return self.examples.take(index[:cut]), self.examples.take(index[cut:])


def build(logs: Logs, *, feature_names: Sequence[str]) -> Dataset:
    """All examples of the logs; several 100,000 impressions take seconds."""
    impressions = logs.impressions
    known = logs.posts.index_of(impressions.post_ids) >= 0
    impressions = impressions.take(known)
    pages = _pages(impressions)
    first = np.where(pages >= 0, impressions.at_ms[pages], np.iinfo(np.int64).max).min(axis=1)
    users = impressions.user_ids[pages[:, 0]]
    rows, row_posts, history = _histories(logs.events, logs.posts, users, first)
    label_bits, dwell, click = _labels(impressions, logs.events)
    examples = Examples(
        user_ids=users,
        at_ms=first,
        history=history,
        posts=_gather(logs.posts.index_of(impressions.post_ids), pages, -1),
        impression_ids=_gather(impressions.ids, pages, -1),
        impression_ms=_gather(impressions.at_ms, pages, 0),
        surfaces=_gather(impressions.surfaces, pages, 0),
        label_bits=_gather(label_bits, pages, 0),
        dwell_seconds=_gather(dwell, pages, 0),
        click_seconds=_gather(click, pages, 0),
        features=np.zeros((len(users), PAGE, len(feature_names)), dtype=np.float32),
    )
    dataset = Dataset(examples, rows, logs.posts, row_posts)
    _fill_features(dataset, logs, _gather(impressions.positions, pages, 0), feature_names)
    return dataset


def _gather(column: npt.NDArray, index: Int64s, fill: int) -> npt.NDArray:
    return np.where(index >= 0, column[index], fill)


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


def _histories(events: Events, posts: Posts, users: Int64s, at_ms: Int64s) -> tuple[Rows, Int64s, Int64s]:
    """The newest rows that began before each request: rows, their posts, and indices [R, MATCH_LENGTH].

    A row that was still growing at a request is cut to the actions before it, as serving would have
    seen it; such cut rows are appended to the table.
    """
    grouped = group(events)
    order = np.lexsort((grouped.rows.post_ids, grouped.rows.first_ms, grouped.rows.user_ids))
    rows, starts = grouped.rows.take(order), grouped.starts[order]
    people = np.unique(np.concatenate([rows.user_ids, users]))
    begun = composite(np.searchsorted(people, rows.user_ids), rows.first_ms)
    asked = np.searchsorted(people, users)
    stop = np.searchsorted(begun, composite(asked, at_ms))
    start = np.searchsorted(begun, composite(asked, np.zeros_like(at_ms)))
    # A row lasts less than a window, so only the rows begun within one can be growing.
    may_grow = np.searchsorted(begun, composite(asked, np.maximum(at_ms - WINDOW_MS, 0)))
    request = np.repeat(np.arange(len(users)), stop - may_grow)
    growing = _ranges(may_grow, stop)
    is_growing = rows.last_ms[growing] >= at_ms[request]
    request, growing = request[is_growing], growing[is_growing]
    cut = _cut_rows(grouped.events, rows, starts, growing, at_ms[request])
    history = _informative_history(rows, start, stop)
    _replace_growing(history, rows, cut, request, growing, start, stop)
    columns = zip(vars(rows).values(), vars(cut).values(), strict=True)
    rows = Rows(*(np.concatenate(pair) for pair in columns))
    return rows, posts.index_of(rows.post_ids), history


def _cut_rows(events: Events, rows: Rows, starts: Int64s, chosen: Int64s, before_ms: Int64s) -> Rows:
    """Chosen rows with only their actions strictly before a moment each."""
    first = starts[chosen]
    cut = rows.take(chosen)
    bits, dwell = bits_of_events(events), dwell_of_events(events)
    action_bits, seconds = np.zeros_like(cut.action_bits), np.zeros_like(cut.dwell_seconds)
    last_ms = cut.first_ms.copy()
    # Rows have few actions: one pass per place in the row.
    place, alive = 0, np.ones(len(chosen), dtype=bool)
    while alive.any():
        event = np.minimum(first + place, len(events) - 1)
        in_row = (first + place < len(events)) & (events.at_ms[event] <= cut.last_ms)
        in_row &= (events.user_ids[event] == cut.user_ids) & (events.post_ids[event] == cut.post_ids)
        alive = alive & in_row & (events.at_ms[event] < before_ms)
        action_bits = np.where(alive, action_bits | bits[event], action_bits)
        seconds = np.where(alive, np.maximum(seconds, dwell[event]), seconds)
        last_ms = np.where(alive, events.at_ms[event], last_ms)
        place += 1
    return Rows(
        cut.user_ids,
        cut.post_ids,
        cut.author_ids,
        action_bits,
        seconds.astype(np.float32),
        cut.surfaces,
        cut.first_ms,
        last_ms,
    )


def _informative_history(rows: Rows, start: Int64s, stop: Int64s) -> Int64s:
    """The newest rows of start..stop that say something, left-aligned, -1 for padding."""
    telling = np.flatnonzero(is_informative(rows.action_bits))
    low, high = np.searchsorted(telling, start), np.searchsorted(telling, stop)
    low = np.maximum(low, high - MATCH_LENGTH)
    index = low[:, None] + np.arange(MATCH_LENGTH)
    inside = index < high[:, None]
    return np.where(inside, telling[np.where(inside, index, 0)] if len(telling) else -1, -1)


def _replace_growing(
    history: Int64s,
    rows: Rows,
    cut: Rows,
    request: Int64s,
    growing: Int64s,
    start: Int64s,
    stop: Int64s,
) -> None:
    """Puts the cut rows in the places of the grown ones, request by request."""
    lows = np.flatnonzero(np.diff(request, prepend=-1))
    highs = np.flatnonzero(np.diff(request, append=-1)) + 1
    for low, high in zip(lows, highs, strict=True):
        of = request[low]
        cut_index = {int(growing[i]): len(rows) + i for i in range(low, high)}
        # Enough rows to fill up when some of them fall away.
        reach = MATCH_LENGTH + (high - low)
        begun = np.arange(start[of], stop[of])
        begun = begun[is_informative(rows.action_bits[begun])][-reach:]
        kept = [cut_index.get(row, row) for row in begun.tolist()]
        telling = [row for row in kept if row < len(rows) or is_informative(cut.action_bits[row - len(rows)])][
            -MATCH_LENGTH:
        ]
        history[of] = -1
        history[of, : len(telling)] = telling


def _labels(impressions: Impressions, events: Events) -> tuple[Int64s, Floats, Floats]:
    """Per impression: bits of the kinds that followed, dwell seconds and seconds after a click."""
    pairs = np.stack([impressions.user_ids, impressions.post_ids], axis=1)
    unique, pair = np.unique(pairs, axis=0, return_inverse=True)
    event_pair, is_shown = _pair_index(unique, events)
    shown = events.take(is_shown)
    keys = composite(event_pair, shown.at_ms)
    order = np.argsort(keys, kind="stable")
    keys, shown = keys[order], shown.take(order)
    begin = composite(pair.ravel(), impressions.at_ms)
    end = np.minimum(begin + LABEL_WINDOW_MS, _next_impression(begin))
    low, high = np.searchsorted(keys, begin), np.searchsorted(keys, end)
    owner = np.repeat(np.arange(len(impressions)), high - low)
    followed = _ranges(low, high)
    bits = np.zeros(len(impressions), dtype=np.int64)
    np.bitwise_or.at(bits, owner, np.int64(1) << shown.kinds[followed])
    dwell = impressions.seconds.astype(np.float32).copy()
    click = np.zeros_like(dwell)
    for target, kinds in ((dwell, DWELL_KINDS), (click, CLICK_DWELL_KINDS)):
        counts = ((kinds >> shown.kinds[followed]) & 1).astype(bool)
        np.maximum.at(target, owner[counts], shown.seconds[followed][counts])
    return bits, dwell, click


def _pair_index(unique: Int64s, events: Events) -> tuple[Int64s, Bools]:
    """Index of each event's (user, post) among the shown pairs, and which events have one."""
    both = np.concatenate([unique, np.stack([events.user_ids, events.post_ids], axis=1)])
    _, inverse = np.unique(both, axis=0, return_inverse=True)
    inverse = inverse.ravel()
    slot = np.full(inverse.max(initial=-1) + 1, -1)
    slot[inverse[: len(unique)]] = np.arange(len(unique))
    index = slot[inverse[len(unique) :]]
    return index[index >= 0], index >= 0


def _next_impression(begin: Int64s) -> Int64s:
    """Key of the next impression of the same pair (or of anything later)."""
    order = np.argsort(begin, kind="stable")
    later = np.full(len(begin), np.iinfo(np.int64).max)
    place = np.searchsorted(begin[order], begin, side="right")
    has_later = place < len(begin)
    later[has_later] = begin[order][place[has_later]]
    return later


def _ranges(low: Int64s, high: Int64s) -> Int64s:
    """low..high of every pair, one after the other."""
    lengths = high - low
    offsets = np.repeat(np.cumsum(lengths) - lengths, lengths)
    return np.arange(lengths.sum()) - offsets + np.repeat(low, lengths)


class CountsAt:
    """How often things had happened to a post before a moment."""

    def __init__(self, post_index: Int64s, at_ms: Int64s) -> None:
        known = post_index >= 0
        self.keys = np.sort(composite(post_index[known], at_ms[known]))

    def before(self, post_index: Int64s, at_ms: Int64s) -> Int64s:
        index = np.maximum(post_index, 0)
        begin = np.searchsorted(self.keys, composite(index, np.zeros_like(at_ms)))
        return np.searchsorted(self.keys, composite(index, np.maximum(at_ms, 0))) - begin


def _fill_features(dataset: Dataset, logs: Logs, positions: Int64s, names: Sequence[str]) -> None:
    examples, posts = dataset.examples, dataset.posts
    event_post = posts.index_of(logs.events.post_ids)
    counts = {}
    for column, kind in COUNTED.items():
        of_kind = logs.events.kinds == kind
        counter = CountsAt(event_post[of_kind], logs.events.at_ms[of_kind])
        counts[column] = counter.before(examples.posts, examples.impression_ms)
    counted = np.isin(logs.events.kinds, [int(kind) for kind in COUNTED.values()])
    recent = CountsAt(event_post[counted], logs.events.at_ms[counted])
    counts["recent"] = recent.before(examples.posts, examples.impression_ms) - recent.before(
        examples.posts, examples.impression_ms - RECENT_MS
    )
    views = CountsAt(posts.index_of(logs.impressions.post_ids), logs.impressions.at_ms)
    counts["views"] = views.before(examples.posts, examples.impression_ms)
    followed = _followed(logs, examples)
    for start in range(0, len(examples), FEATURE_BLOCK):
        part = slice(start, start + FEATURE_BLOCK)
        block = examples.take(np.arange(len(examples))[part])
        table = _candidate_table(
            block,
            posts,
            {name: column[part] for name, column in counts.items()},
            followed[part],
            positions[part],
        )
        history = history_columns(dataset, block.history)
        examples.features[part] = candidate_features(history, table, names=names)
    examples.features[~examples.valid] = 0


def _followed(logs: Logs, examples: Examples) -> Bools:
    """Whether the viewer followed the author when the post was shown."""
    follower, followee, since = logs.follows
    authors = logs.posts.author_ids[np.maximum(examples.posts, 0)]
    people = np.unique(np.concatenate([follower, followee, examples.user_ids, authors.ravel()]))
    size = len(people) + 1
    edges = np.searchsorted(people, follower) * size + np.searchsorted(people, followee)
    order = np.argsort(edges)
    asked = np.searchsorted(people, examples.user_ids)[:, None] * size + np.searchsorted(people, authors)
    if not len(edges):
        return np.zeros(asked.shape, dtype=bool)
    place = np.minimum(np.searchsorted(edges[order], asked), len(edges) - 1)
    is_edge = edges[order][place] == asked
    return is_edge & (since[order][place] < examples.impression_ms)


def _candidate_table(
    block: Examples,
    posts: Posts,
    counts: dict[str, Int64s],
    followed: Bools,
    positions: Int64s,
) -> CandidateTable:
    index = np.maximum(block.posts, 0)
    return CandidateTable(
        author_ids=posts.author_ids[index],
        created_ms=posts.created_ms[index],
        at_ms=block.impression_ms,
        is_author_followed=followed,
        is_reply=posts.is_reply[index],
        has_media=posts.has_media[index],
        video_duration_ms=posts.video_duration_ms[index],
        position=positions,
        content=posts.content[index],
        **counts,
    )


def history_columns(dataset: Dataset, history: Int64s) -> HistoryColumns:
    """History rows [R, S] as columns."""
    index = np.maximum(history, 0)
    post = np.maximum(dataset.row_posts[index], 0)
    known = (history >= 0) & (dataset.row_posts[index] >= 0)
    return HistoryColumns(
        author_ids=np.where(history >= 0, dataset.rows.author_ids[index], 0),
        action_bits=np.where(history >= 0, dataset.rows.action_bits[index], 0),
        first_ms=np.where(history >= 0, dataset.rows.first_ms[index], 0),
        content=dataset.posts.content[post] * known[..., None],
        valid=history >= 0,
    )


def newest(history: Int64s, length: int) -> Int64s:
    """The newest `length` of left-aligned rows, left-aligned again."""
    count = (history >= 0).sum(axis=1, keepdims=True)
    index = np.maximum(count - length, 0) + np.arange(length)
    taken = np.take_along_axis(history, np.minimum(index, history.shape[1] - 1), axis=1)
    return np.where(index < count, taken, -1)


def context_batch(dataset: Dataset, block: Examples, config: PhoenixConfig) -> Context:
    """The users and histories of some requests as model input."""
    history = newest(block.history, config.history_seq_len)
    columns = history_columns(dataset, history)
    index = np.maximum(history, 0)
    rows = dataset.rows
    features = history_features(columns, names=config.history_feature_names)
    return Context(
        user_ids=torch.from_numpy(block.user_ids),
        post_ids=torch.from_numpy(np.where(columns.valid, rows.post_ids[index], 0)),
        author_ids=torch.from_numpy(columns.author_ids),
        actions=torch.from_numpy(multi_hot(columns.action_bits, config.action_names)),
        surface=torch.from_numpy(np.where(columns.valid, rows.surfaces[index], 0)),
        dwell_seconds=torch.from_numpy(rows.dwell_seconds[index] * columns.valid),
        content=torch.from_numpy(columns.content.astype(np.float32)),
        features=torch.from_numpy(features),
    )


def candidate_batch(dataset: Dataset, block: Examples) -> Candidates:
    """The posts shown in some requests as model input."""
    index = np.maximum(block.posts, 0)
    posts = dataset.posts
    return Candidates(
        post_ids=torch.from_numpy(np.where(block.valid, posts.ids[index], 0)),
        author_ids=torch.from_numpy(np.where(block.valid, posts.author_ids[index], 0)),
        surface=torch.from_numpy(block.surfaces),
        impression_seconds=torch.from_numpy(block.impression_ms // 1000),
        creation_seconds=torch.from_numpy(posts.created_ms[index] // 1000),
        content=torch.from_numpy(posts.content[index] * block.valid[..., None]),
        features=torch.from_numpy(block.features),
    )


def labels(block: Examples, config: PhoenixConfig) -> tuple[torch.Tensor, torch.Tensor]:
    """Discrete targets [R, C, A] and continuous ones in 0..1 [R, C, K], -1 where unknown."""
    discrete = multi_hot(block.label_bits, config.action_names)
    seconds = {"dwell_time": block.dwell_seconds, "click_dwell_time": block.click_seconds}
    columns = [
        np.where(seconds[name] > 0, np.clip(seconds[name] / 30, 0, 1), -1)
        if name in seconds
        else np.full(block.posts.shape, -1.0)
        for name in (config.continuous_names or CONTINUOUS_HEADS)
    ]
    continuous = np.stack(columns, axis=-1).astype(np.float32)
    return torch.from_numpy(discrete), torch.from_numpy(continuous)


def batches(examples: Examples, *, size: int, rng: np.random.Generator | None = None) -> Iterator[Examples]:
    """Blocks of requests; shuffled when a generator is given."""
    order = np.arange(len(examples)) if rng is None else rng.permutation(len(examples))
    for start in range(0, len(order), size):
        yield examples.take(order[start : start + size])

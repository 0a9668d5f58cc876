"""Features of the posts shown: live counts as of the impression, relation to the author, likeness to the history."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from ranking.features import RECENT_MS, CandidateTable, candidate_features
from ranking.phoenix.subjects import Subjects
from ranking.training.batching import history_columns
from ranking.training.keys import composite
from ranking.training.logs import COUNTED, TOTALS, Logs, Posts
from ranking.training.tastes import tastes
from ranking.types import Bools, Int64s

if TYPE_CHECKING:
    from ranking.training.dataset import Dataset, Examples

FEATURE_BLOCK = 128


class CountsAt:
    """How often things had happened to a post before a moment."""

    def __init__(self, post_index: Int64s, at_ms: Int64s) -> None:
        known = post_index >= 0
        self.keys = np.sort(composite(post_index[known], at_ms[known]))

    def before(self, post_index: Int64s, at_ms: Int64s) -> Int64s:
        """Counts from the beginning of the log to before the moment."""
        index = np.maximum(post_index, 0)
        begin = np.searchsorted(self.keys, composite(index, np.zeros_like(at_ms)))
        return np.searchsorted(self.keys, composite(index, np.maximum(at_ms, 0))) - begin


def counts_at(logs: Logs, posts: Int64s, at_ms: Int64s) -> dict[str, Int64s]:
    """Counts of the given posts (indices) before a moment each: totals before the period, plus its events."""
    events = logs.events
    event_post = logs.posts.index_of(events.post_ids)
    is_later = events.at_ms >= logs.since_ms
    counts = {}
    for column, kind in COUNTED.items():
        of_kind = (events.kinds == kind) & is_later
        counts[column] = CountsAt(event_post[of_kind], events.at_ms[of_kind]).before(posts, at_ms)
    views = CountsAt(logs.posts.index_of(logs.impressions.post_ids), logs.impressions.at_ms)
    counts["views"] = views.before(posts, at_ms)
    if len(logs.totals):
        for place, column in enumerate(TOTALS):
            counts[column] += logs.totals[np.maximum(posts, 0), place]
    counted = np.isin(events.kinds, [int(kind) for kind in COUNTED.values()])
    recent = CountsAt(event_post[counted], events.at_ms[counted])
    counts["recent"] = recent.before(posts, at_ms) - recent.before(posts, at_ms - RECENT_MS)
    return counts


def fill_features(dataset: Dataset, logs: Logs, names: Sequence[str], subjects: Subjects | None) -> None:
    """Writes `features` of all examples in place."""
    examples, posts = dataset.examples, dataset.posts
    counts = counts_at(logs, examples.posts, examples.impression_ms)
    followed = _followed(logs, examples)
    taste = tastes(logs, examples.user_ids, examples.at_ms, subjects)
    for start in range(0, len(examples), FEATURE_BLOCK):
        part = slice(start, start + FEATURE_BLOCK)
        block = examples.take(part)
        table = _candidate_table(
            block,
            posts,
            {name: column[part] for name, column in counts.items()},
            followed[part],
        )
        longest = int((block.history >= 0).sum(axis=1).max(initial=1))
        history = history_columns(dataset, block.history[:, :longest])
        examples.features[part] = candidate_features(history, table, taste.take(part), subjects, names=names)
    examples.features[examples.posts < 0] = 0


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
        is_quote=posts.is_quote[index],
        quoted_video_ms=posts.quoted_video_ms[index],
        position=block.positions,
        content=posts.content[index],
        **counts,
    )

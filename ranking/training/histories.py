"""The history of every request of a period, in bulk: the rows that serving would have built for it."""

from __future__ import annotations

import numpy as np

from ranking.features import MATCH_LENGTH
from ranking.sequences import (
    WINDOW_MS,
    Events,
    Rows,
    bits_of_events,
    dwell_of_events,
    group,
    is_informative,
)
from ranking.training.keys import composite, ranges
from ranking.training.logs import Posts
from ranking.types import Int64s


def histories(events: Events, posts: Posts, users: Int64s, at_ms: Int64s) -> tuple[Rows, Int64s, Int64s]:
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
    growing = ranges(may_grow, stop)
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

"""What followed an impression: the kinds of action, seconds of attention, and how long the viewer stayed."""

from __future__ import annotations

import numpy as np

from ranking.heads import CLICK_DWELL_KINDS, DWELL_KINDS, EXPLORED, NEGATIVE, STRONG_POSITIVE, WEAK_POSITIVE
from ranking.sequences import Events
from ranking.training.keys import composite, ranges
from ranking.training.logs import LABEL_WINDOW_MS, Impressions
from ranking.types import Bools, Floats, Int64s

ACTIVE_MS = 5 * 60_000


def labels(impressions: Impressions, events: Events) -> tuple[Int64s, Floats, Floats]:
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
    followed = ranges(low, high)
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


def explored(label_bits: Int64s, is_new_author: Bools) -> Int64s:
    """The bits, with `EXPLORED` where somebody took up a post of an author new to the viewer."""
    taken_up = ((label_bits & (STRONG_POSITIVE | WEAK_POSITIVE)) != 0) & ((label_bits & NEGATIVE) == 0)
    return label_bits | np.where(taken_up & is_new_author, EXPLORED, 0)


def active_residual(impressions: Impressions, events: Events) -> Floats:
    """How long the viewer went on seeing or doing things within five minutes after each impression, beyond
    the mean of impressions at that place of a page, as a share of the five minutes; in -1..1."""
    people, user = np.unique(impressions.user_ids, return_inverse=True)
    theirs = np.isin(events.user_ids, people)
    signs = composite(np.searchsorted(people, events.user_ids[theirs]), events.at_ms[theirs])
    begin = composite(user.ravel(), impressions.at_ms)
    signs = np.sort(np.concatenate([signs, begin]))
    last = signs[np.searchsorted(signs, begin + ACTIVE_MS, side="right") - 1]
    share = (last - begin) / ACTIVE_MS
    position = np.maximum(impressions.positions, 0)
    mean = np.bincount(position, weights=share) / np.maximum(np.bincount(position), 1)
    return (share - mean[position]).astype(np.float32)

"""What the viewer of every request of a period leaned to, in bulk: what serving would have made of the same past."""

from __future__ import annotations

import numpy as np

from posts.types import EngagementKind
from ranking.features import form
from ranking.phoenix.subjects import Opinions, Subjects
from ranking.sequences import WINDOW_MS, Events
from ranking.taste import ACTIONS, AUTHORS, IMPRESSIONS, LOOKS, Looks, lean, looks_of
from ranking.training.keys import composite
from ranking.training.logs import Impressions, Logs, Posts
from ranking.types import Int64s, Taste

# Requests of a person whose looks are weighed at a time.
BLOCK = 64


def tastes(logs: Logs, users: Int64s, at_ms: Int64s, subjects: Subjects | None = None) -> Taste:
    """The taste of each request [R]."""
    people = np.unique(users)
    seen = logs.seen_before.joined(_as_events(logs.impressions, logs.posts))
    actions, seen = (events.take(np.isin(events.user_ids, people)) for events in (logs.events, seen))
    looks = looks_of(actions, seen)
    who = np.searchsorted(people, users)
    low, high = _windows(people, looks, actions, seen, who, at_ms)
    size, mark = (len(subjects), subjects.mark) if subjects else (0, 0)
    found = Taste.none(len(users), logs.posts.content.shape[1], size, mark, AUTHORS)
    posts = logs.posts
    forms = form(posts.has_media, posts.video_duration_ms)
    order = np.lexsort((at_ms, who))
    for of_one in np.split(order, np.flatnonzero(np.diff(who[order])) + 1):
        for block in np.split(of_one, range(BLOCK, len(of_one), BLOCK)):
            if not (low[block] < high[block]).any():
                continue
            first, last = low[block].min(), high[block].max()
            some = looks.take(slice(first, last))
            post = posts.index_of(some.post_ids)
            content = posts.content[post] * (post >= 0)[:, None]
            taste = lean(some, content, forms[post], low[block] - first, high[block] - first, subjects)
            found.put(block, taste)
    return found


def opinions(logs: Logs) -> Opinions:
    """What everything that was looked at in the period was worth to those who looked, of posts with a content."""
    looks = looks_of(logs.events, _as_events(logs.impressions, logs.posts))
    post = logs.posts.index_of(looks.post_ids)
    told = np.append(logs.posts.content.any(axis=1), False)[post] & (looks.first_ms < logs.until_ms)
    return Opinions(looks.user_ids[told], post[told], looks.worth[told])


def _as_events(impressions: Impressions, posts: Posts) -> Events:
    kinds = np.full(len(impressions), int(EngagementKind.DWELL_TIME))
    return Events(
        impressions.user_ids,
        impressions.post_ids,
        np.append(posts.author_ids, 0)[posts.index_of(impressions.post_ids)],
        kinds,
        impressions.seconds,
        impressions.surfaces,
        impressions.at_ms,
    )


def _windows(
    people: Int64s, looks: Looks, actions: Events, seen: Events, who: Int64s, at_ms: Int64s
) -> tuple[Int64s, Int64s]:
    """The looks low..high that each request sees."""
    keys = composite(np.searchsorted(people, looks.user_ids), looks.first_ms)
    high = np.searchsorted(keys, composite(who, at_ms - WINDOW_MS), side="right")
    begin = np.maximum(
        _known_since(people, actions, who, at_ms, ACTIONS), _known_since(people, seen, who, at_ms, IMPRESSIONS)
    )
    low = np.maximum(high - LOOKS, np.searchsorted(keys, composite(who, begin)))
    return np.minimum(low, high), high


def _known_since(people: Int64s, events: Events, who: Int64s, at_ms: Int64s, limit: int) -> Int64s:
    """From when on no look lacks an event that serving's limit would have cut off."""
    keys = np.sort(composite(np.searchsorted(people, events.user_ids), events.at_ms))
    oldest = np.searchsorted(keys, composite(who, at_ms)) - limit
    is_cut = oldest >= np.searchsorted(keys, composite(who, np.zeros_like(at_ms)))
    moment = keys[np.maximum(oldest, 0)] - composite(who, np.zeros_like(at_ms)) if len(keys) else np.zeros_like(at_ms)
    return np.where(is_cut, moment + WINDOW_MS, 0)

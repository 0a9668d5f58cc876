"""What people write before anyone answers: original posts and self-threads, as growing columns."""

from dataclasses import dataclass

import numpy as np

from feed.simulation.people import Population, rhythm
from feed.simulation.topics import TopicSpace

HOUR = 3600.0
DAY = 86_400.0
TEXT, PICTURE, VIDEO = 0, 1, 2
NONE = -1
#: Lengths of the clips that exist; a video post shows the clip `artwork % len(CLIP_SECONDS)`.
CLIP_SECONDS = (3.0, 4.0, 5.0, 6.0, 8.0, 10.0, 12.0, 4.0, 6.0, 3.0)

_COLUMNS: dict[str, tuple[type, float]] = {
    "seconds": (np.float64, 0.0),
    "author": (np.int32, NONE),
    "subtopic": (np.int16, 0),
    "quality": (np.float32, 0.0),
    "controversy": (np.float32, 0.0),
    "form": (np.int8, TEXT),
    "artwork": (np.int32, NONE),
    "clip_seconds": (np.float32, 0.0),
    "length": (np.float32, 0.0),
    "language": (np.int8, 0),
    "spam": (np.float32, 0.0),
    "insult": (np.float32, 0.0),
    "bait": (np.bool_, 0),
    "subscribers_only": (np.bool_, 0),
    "in_reply_to": (np.int32, NONE),
    "root": (np.int32, NONE),
    "quote_of": (np.int32, NONE),
    "repost_of": (np.int32, NONE),
    "depth": (np.int16, 0),
    "burst": (np.float32, 0.0),
    "heat": (np.float32, 0.0),
}


class PostTable:
    """Columns over posts, appended in batches; a post's number is its row.

    `seconds` count from the start of the history. `in_reply_to`, `quote_of` and `repost_of`
    hold row numbers or -1; `root` is the row of the thread's first post; `heat` is recent engagement,
    decaying. Quality, controversy, spam and insult are the hidden truth: they never leave the
    generator as columns.
    """

    def __init__(self, capacity: int) -> None:
        self.size = 0
        self._data = {name: self._empty(name, capacity) for name in _COLUMNS}

    @staticmethod
    def _empty(name: str, capacity: int) -> np.ndarray:
        dtype, fill = _COLUMNS[name]
        return np.full(capacity, fill, dtype=dtype)

    def __len__(self) -> int:
        return self.size

    def __getattr__(self, name: str) -> np.ndarray:
        if name not in _COLUMNS:
            raise AttributeError(name)
        return self._data[name][: self.size]

    def append(self, **columns: np.ndarray) -> np.ndarray:
        """Add rows; columns not named take their default. Returns the new rows' numbers."""
        count = len(columns["seconds"])
        self._grow(self.size + count)
        rows = np.arange(self.size, self.size + count)
        for name, values in columns.items():
            self._data[name][rows] = values
        if "root" not in columns:
            self._data["root"][rows] = rows
        self.size += count
        return rows

    def _grow(self, needed: int) -> None:
        capacity = len(self._data["seconds"])
        if needed <= capacity:
            return
        extra = max(needed, capacity * 3 // 2) - capacity
        for name, values in self._data.items():
            self._data[name] = np.append(values, self._empty(name, extra))


@dataclass(frozen=True)
class Bursts:
    """Current events: a subtopic surges at `start` and decays over `duration` seconds.

    `controversy` in [0, 1] is how heated what is said about it is at least.
    """

    subtopic: np.ndarray
    start: np.ndarray
    duration: np.ndarray
    strength: np.ndarray
    controversy: np.ndarray

    def heat(self, seconds: np.ndarray | float) -> np.ndarray:
        """Strength of every burst at each moment: shape [..., bursts]."""
        age = np.asarray(seconds, dtype=np.float64)[..., None] - self.start
        return np.where(age >= 0, self.strength * np.exp(-np.maximum(age, 0) / self.duration), 0.0)


def bursts(rng: np.random.Generator, *, days: float, space: TopicSpace) -> Bursts:
    """About one event every two days, one of them in the last day."""
    count = max(2, int(days / 2))
    start = np.sort(rng.uniform(0, days * DAY, count))
    start[-1] = (days - rng.uniform(0.3, 0.9)) * DAY
    return Bursts(
        subtopic=rng.integers(0, len(space.topic_of), count),
        start=start,
        duration=rng.uniform(5, 20, count) * HOUR,
        strength=rng.uniform(0.6, 1.5, count),
        controversy=np.zeros(count),
    )


def _moments(rng: np.random.Generator, count: int, days: float, *, is_dense_at_end: bool) -> np.ndarray:
    """Seconds from the start; the last two days may be denser than the weeks before."""
    if not is_dense_at_end:
        return days * DAY * rng.random(count)
    recent = min(2.0, days / 2)
    share = 1.9 * recent / (days + 0.9 * recent)
    late = rng.random(count) < share
    day = np.where(late, days - recent * rng.random(count), (days - recent) * rng.random(count))
    return day * DAY


def _by_the_authors_clock(
    rng: np.random.Generator, seconds: np.ndarray, zone: np.ndarray, now_hour: float, end: float
) -> np.ndarray:
    """Move each moment to an hour at which its author is awake, by rejection."""
    for _ in range(4):
        hour = (now_hour + (seconds - end) / HOUR) % 24.0
        asleep = rng.random(len(seconds)) * 2.3 > rhythm(hour, zone)
        shifted = seconds - rng.uniform(0.5, 4.0, len(seconds)) * HOUR
        seconds = np.where(asleep & (shifted > 0), shifted, seconds)
    return seconds


def _subtopics(
    rng: np.random.Generator, people: Population, authors: np.ndarray, heat: np.ndarray, events: Bursts
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Own subtopic, or the event of the hour for those whom it touches; the event's heat and controversy."""
    cumulative = np.cumsum(people.subtopic_weight, axis=1)
    own = np.empty(len(authors), dtype=np.int64)
    for start in range(0, len(authors), 65_536):
        rows = slice(start, start + 65_536)
        draw = rng.random((len(authors[rows]), 1)) * cumulative[authors[rows], -1:]
        own[rows] = (cumulative[authors[rows]] < draw).sum(axis=1)
    own = np.minimum(own, cumulative.shape[1] - 1)
    event = heat.argmax(axis=1)
    strength = heat.max(axis=1)
    touched = people.taste[authors, events.subtopic[event]] > -0.3
    joins = touched & (rng.random(len(authors)) < 0.25 * strength)
    subtopic = np.where(joins, events.subtopic[event], own)
    return subtopic, np.where(joins, strength, 0.0), np.where(joins, events.controversy[event], 0.0)


def _forms(rng: np.random.Generator, people: Population, authors: np.ndarray) -> np.ndarray:
    habit = np.cumsum(people.form_habit[authors], axis=1)
    return np.minimum((habit < rng.random((len(authors), 1))).sum(axis=1), VIDEO)


def _traits(rng: np.random.Generator, people: Population, authors: np.ndarray) -> dict[str, np.ndarray]:
    """What a post inherits from its author, with noise."""
    count = len(authors)
    form = _forms(rng, people, authors)
    artwork = rng.integers(0, 1 << 20, count)
    heated = rng.random(count) < people.tone[authors]
    spam = people.is_spammer[authors] & (rng.random(count) < 0.8)
    stray = rng.random(count) < 0.002
    provoked = people.is_provocateur[authors] & (rng.random(count) < 0.35)
    second = (rng.random(count) < 0.2) & (people.language[authors] > 0)
    return {
        "quality": people.quality[authors] + 0.55 * rng.normal(size=count),
        "controversy": np.where(heated, rng.beta(4, 2, count), rng.beta(1.2, 8, count)),
        "form": form,
        "artwork": np.where(form == TEXT, NONE, artwork),
        "clip_seconds": np.where(form == VIDEO, np.take(CLIP_SECONDS, artwork % len(CLIP_SECONDS)), 0.0),
        "length": 90 * np.exp(0.35 * people.length_habit[authors] + 0.4 * rng.normal(size=count)),
        "language": np.where(second, people.second_language[authors], people.language[authors]),
        "spam": np.where(spam | stray, rng.uniform(0.6, 1.0, count), 0.0),
        "insult": np.where(provoked | (rng.random(count) < 0.004), rng.uniform(0.4, 1.0, count), 0.0),
        "bait": rng.random(count) < np.where(people.quality[authors] < -0.3, 0.12, 0.025),
        "subscribers_only": people.is_creator[authors] & (rng.random(count) < 0.2),
    }


def _authors(rng: np.random.Generator, people: Population, seconds: np.ndarray, days: float) -> np.ndarray:
    """Who writes at each moment: by posting rate, among those who have joined and not left."""
    cumulative = np.cumsum(people.posts_per_day)
    authors = np.empty(len(seconds), dtype=np.int64)
    open_rows = np.arange(len(seconds))
    day = seconds / DAY - days
    for _ in range(12):
        draw = rng.random(len(open_rows)) * cumulative[-1]
        authors[open_rows] = np.searchsorted(cumulative, draw, side="right")
        chosen = authors[open_rows]
        open_rows = open_rows[~people.is_present(day[open_rows], chosen)]
    authors[open_rows] = int(np.argmin(people.joined_day + 1e6 * (people.posts_per_day == 0)))
    return authors


def write_originals(
    rng: np.random.Generator,
    people: Population,
    events: Bursts,
    *,
    count: int,
    days: float,
    now_hour: float,
    is_dense_at_end: bool = True,
) -> dict[str, np.ndarray]:
    """Columns of `count` original posts in time order; every twelfth is continued as a thread.

    `continues` is the position of the post that a thread part follows, or -1.
    """
    threads = count // 16
    seconds = np.sort(_moments(rng, count - threads, days, is_dense_at_end=is_dense_at_end))
    authors = _authors(rng, people, seconds, days)
    seconds = _by_the_authors_clock(rng, seconds, people.hours_from_utc[authors], now_hour, days * DAY)
    seconds = np.maximum(seconds, (people.joined_day[authors] + days) * DAY + 300.0)
    subtopic, heat, quarrel = _subtopics(rng, people, authors, events.heat(seconds), events)
    columns = {"seconds": seconds, "author": authors, "subtopic": subtopic, "burst": heat}
    columns |= _traits(rng, people, authors)
    columns["controversy"] = np.maximum(columns["controversy"], quarrel)
    return _in_time_order(_with_threads(rng, columns, threads, days * DAY))


def _with_threads(
    rng: np.random.Generator, columns: dict[str, np.ndarray], parts: int, end: float
) -> dict[str, np.ndarray]:
    """Append `parts` continuations, several for some openers, minutes after one another."""
    openers = np.flatnonzero((columns["seconds"] < end - 3 * HOUR) & (columns["spam"] == 0))
    heads = openers[rng.integers(0, len(openers), max(1, parts // 2))]
    chain = np.sort(heads[rng.integers(0, len(heads), parts)])
    first = np.r_[True, chain[1:] != chain[:-1]]
    step = np.arange(parts) - np.maximum.accumulate(np.where(first, np.arange(parts), 0))
    base = len(columns["seconds"])
    extended = {name: np.append(values, values[chain]) for name, values in columns.items()}
    extended["seconds"][base:] += 90.0 * (step + 1) + rng.uniform(0, 60, parts)
    extended["form"][base:] = TEXT
    extended["artwork"][base:] = NONE
    extended["clip_seconds"][base:] = 0.0
    previous = np.where(first, chain, base + np.arange(parts) - 1)
    extended["continues"] = np.append(np.full(base, NONE), previous)
    return extended


def _in_time_order(columns: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    order = np.argsort(columns["seconds"], kind="stable")
    rank = np.empty_like(order)
    rank[order] = np.arange(len(order))
    ordered = {name: values[order] for name, values in columns.items()}
    follows = ordered["continues"] >= 0
    ordered["continues"][follows] = rank[ordered["continues"][follows]]
    return ordered

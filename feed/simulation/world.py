"""Builds a whole demo world in memory: the one call that commands and tests use."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from feed.simulation.authoring import DAY, Bursts, PostTable, bursts, write_originals
from feed.simulation.graph import Edges, follow_graph, follow_requests, paid_subscriptions, tied
from feed.simulation.history import History
from feed.simulation.people import Population, population
from feed.simulation.record import Recorded
from feed.simulation.scenarios import SCENARIOS, Draft
from feed.simulation.society import Society
from feed.simulation.topics import TopicSpace, topic_space

#: Posts that arise from reading (replies, answers, quotes, reposts) per impression.
DERIVED_PER_IMPRESSION = 0.022


@dataclass(frozen=True)
class WorldSize:
    """How big a world: the visible history spans `days`; impressions default to the users'.

    Dense at the end: more is posted and read in the last two days than before.
    """

    users: int = 1000
    posts: int = 30_000
    days: int = 28
    impressions: int | None = None
    is_dense_at_end: bool = True

    @property
    def impressions_wanted(self) -> int:
        """450 per person, at most fifteen per post and three million in all."""
        usual = min(450 * self.users, 15 * self.posts, 3_000_000)
        return usual if self.impressions is None else self.impressions


@dataclass
class World:
    """Everything the generator made; times are seconds before which `end` is now."""

    size: WorldSize
    now_ms: int
    people: Population
    space: TopicSpace
    events: Bursts
    first_follows: Edges
    requests: Edges
    subscriptions: Edges
    society: Society
    recorded: Recorded

    @property
    def posts(self) -> PostTable:
        return self.society.posts

    @property
    def end(self) -> float:
        return self.size.days * DAY

    def milliseconds(self, seconds: np.ndarray) -> np.ndarray:
        """Seconds of the simulation as milliseconds since 1970."""
        return self.now_ms + np.round((np.asarray(seconds) - self.end) * 1000).astype(np.int64)


def build_world(
    size: WorldSize,
    *,
    seed: int,
    now_ms: int,
    scenarios: Sequence[str] = (),
    progress: Callable[[int], None] = lambda hours: None,
) -> World:
    """Draw people, graph and posts and live through the days. Same seed, same world."""
    world, history = begin_world(size, seed=seed, now_ms=now_ms, scenarios=scenarios)
    world.recorded = history.run(progress=progress)
    return world


def begin_world(
    size: WorldSize, *, seed: int, now_ms: int, scenarios: Sequence[str] = (), settled: float | None = None
) -> tuple[World, History]:
    """A world before its first hour, and the history that will live it; nothing is recorded yet."""
    rng = np.random.default_rng(seed)
    now_hour = (now_ms / 3_600_000) % 24.0
    space = topic_space(rng)
    people = population(rng, users=size.users, days=size.days, space=space)
    events = bursts(rng, days=size.days, space=space)
    draft = Draft(people, events, rng, size.days)
    for name in scenarios:
        SCENARIOS[name](draft)
    follows = follow_graph(rng, people, space)
    if draft.ties:
        follows = tied(len(people), follows, draft.ties)
    times = {"days": size.days, "now_hour": now_hour, "is_dense_at_end": size.is_dense_at_end}
    originals = write_originals(rng, people, events, count=_originals(size), **times)
    requests, subscriptions = follow_requests(rng, people, follows), paid_subscriptions(rng, people, follows)
    society = Society(people, space, events, follows, subscriptions, PostTable(size.posts + 1024))
    history = History(
        society, originals, rng, impressions=size.impressions_wanted, settled=settled, mobs=draft.mobs, **times
    )
    world = World(
        size, now_ms, people, space, events, follows, requests, subscriptions, society, history.recorder.taken()
    )
    return world, history


def _originals(size: WorldSize) -> int:
    derived = min(DERIVED_PER_IMPRESSION * size.impressions_wanted, 0.6 * size.posts)
    return max(int(size.posts - derived), size.posts // 3)

"""Situations a demo world can be born with: changes to the drawn people or events."""

from collections.abc import Callable

import numpy as np

from feed.simulation.authoring import DAY, HOUR, Bursts
from feed.simulation.people import Population

RING_SIZE = 12


def spam_ring(people: Population, events: Bursts, rng: np.random.Generator, days: float) -> None:
    """Twelve fresh accounts that post the same offer many times a day."""
    members = _ordinary(people, rng, RING_SIZE)
    people.is_spammer[members] = True
    people.ring[members] = people.ring.max() + 1
    people.quality[members] = -1.4
    people.posts_per_day[members] = 6.0
    people.joined_day[members] = -rng.uniform(2.0, 4.0, len(members))


def breaking_event(people: Population, events: Bursts, rng: np.random.Generator, days: float) -> None:
    """Something that began six hours ago and that nearly everybody talks about."""
    events.start[-1] = days * DAY - 6 * HOUR
    events.duration[-1] = 8 * HOUR
    events.strength[-1] = 3.5


def new_viewer(people: Population, events: Bursts, rng: np.random.Generator, days: float) -> None:
    """The last of the printed logins joined an hour ago and has seen nothing yet."""
    people.joined_day[people.demo[-1]] = -1.0 / 24.0


def new_author(people: Population, events: Bursts, rng: np.random.Generator, days: float) -> None:
    """An excellent author who joined two days ago and whom almost nobody follows."""
    author = _ordinary(people, rng, 1)
    people.is_hidden_gem[author] = True
    people.quality[author] = 2.0
    people.attractiveness[author] = 1e-4
    people.posts_per_day[author] = 8.0
    people.joined_day[author] = -2.0


SCENARIOS: dict[str, Callable[[Population, Bursts, np.random.Generator, float], None]] = {
    "spam-ring": spam_ring,
    "breaking-event": breaking_event,
    "new-viewer": new_viewer,
    "new-author": new_author,
}


def _ordinary(people: Population, rng: np.random.Generator, count: int) -> np.ndarray:
    special = people.is_spammer | people.is_provocateur | people.is_hidden_gem
    special[people.demo] = True
    return rng.choice(np.flatnonzero(~special), size=count, replace=False)

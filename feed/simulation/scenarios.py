"""Situations a demo world can be born with: changes to what was drawn, before its first hour."""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from feed.simulation.authoring import DAY, HOUR, Bursts
from feed.simulation.graph import Edges
from feed.simulation.people import Population
from feed.simulation.topics import LANGUAGES

RING_SIZE = 12
MOB_SIZE = 40
SECOND_LANGUAGE_SHARE = 0.35
SLEEPING_SHARE = 0.3


@dataclass(frozen=True)
class Mob:
    """Accounts that block one author, each at its moment (seconds from the start)."""

    members: np.ndarray
    victim: int
    seconds: np.ndarray


@dataclass
class Draft:
    """What scenarios may change. `ties` are follows beyond those that the graph grows by itself."""

    people: Population
    events: Bursts
    rng: np.random.Generator
    days: float
    ties: list[Edges] = field(default_factory=list)
    mobs: list[Mob] = field(default_factory=list)

    @property
    def end(self) -> float:
        return self.days * DAY

    def ordinary(self, count: int) -> np.ndarray:
        """People who are nothing special yet, at most a quarter of all."""
        people = self.people
        special = people.is_spammer | people.is_provocateur | people.is_hidden_gem | people.is_creator
        special[people.demo] = True
        return self.rng.choice(np.flatnonzero(~special), size=min(count, len(people) // 4), replace=False)


def spam_ring(draft: Draft) -> None:
    """Twelve fresh accounts that post the same offer many times a day."""
    people, members = draft.people, draft.ordinary(RING_SIZE)
    people.is_spammer[members] = True
    people.ring[members] = people.ring.max() + 1
    people.quality[members] = -1.4
    people.posts_per_day[members] = 6.0
    people.joined_day[members] = -draft.rng.uniform(2.0, 4.0, len(members))


def breaking_event(draft: Draft) -> None:
    """Something that began six hours ago and that nearly everybody talks about."""
    draft.events.start[-1] = draft.end - 6 * HOUR
    draft.events.duration[-1] = 8 * HOUR
    draft.events.strength[-1] = 3.5


def controversy_storm(draft: Draft) -> None:
    """A quarrel that began ten hours ago: what is said about it is heated, and answered in kind."""
    draft.events.start[-1] = draft.end - 10 * HOUR
    draft.events.duration[-1] = 12 * HOUR
    draft.events.strength[-1] = 2.5
    draft.events.controversy[-1] = 0.9


def new_viewer(draft: Draft) -> None:
    """The last of the printed logins joined an hour ago and has seen nothing yet."""
    draft.people.joined_day[draft.people.demo[-1]] = -1.0 / 24.0


def new_author(draft: Draft) -> None:
    """An excellent author who joined two days ago and whom almost nobody follows."""
    people, author = draft.people, draft.ordinary(1)
    people.is_hidden_gem[author] = True
    people.quality[author] = 2.0
    people.attractiveness[author] = 1e-4
    people.posts_per_day[author] = 8.0
    people.joined_day[author] = -2.0


def block_mob(draft: Draft) -> None:
    """Forty accounts that have nothing to do with one another block one good author within a day."""
    _mob(draft)


def linked_block_mob(draft: Draft) -> None:
    """The same by forty accounts that all follow one another: a brigade, not an opinion."""
    members = _mob(draft).members
    source, target = (ends.ravel() for ends in np.meshgrid(members, members, indexing="ij"))
    apart = source != target
    joined = np.maximum(draft.people.joined_day[source[apart]], draft.people.joined_day[target[apart]])
    draft.ties.append(Edges(source[apart], target[apart], 0.5 * joined))


def _mob(draft: Draft) -> Mob:
    people, members = draft.people, draft.ordinary(MOB_SIZE)
    worth = people.quality + np.log1p(people.posts_per_day) + np.log1p(people.attractiveness)
    worth[members] = worth[people.demo] = -np.inf
    worth[people.is_locked | people.is_spammer | (people.joined_day > -10.0)] = -np.inf
    mob = Mob(members, int(worth.argmax()), draft.end - draft.rng.uniform(0.5, 24.0, len(members)) * HOUR)
    draft.mobs.append(mob)
    return mob


def sleepers_return(draft: Draft) -> None:
    """Three in ten stayed away for a week and came back this morning."""
    people = draft.people
    asleep = draft.rng.random(len(people)) < SLEEPING_SHARE
    asleep[people.demo] = False
    people.away_from[asleep] = -7.5
    people.away_until[asleep] = -0.5


def second_language(draft: Draft) -> None:
    """A third of the people speak another language among themselves, and read nothing else."""
    people = draft.people
    theirs = draft.rng.random(len(people)) < SECOND_LANGUAGE_SHARE
    theirs[people.demo] = False
    people.language[theirs] = people.second_language[theirs] = LANGUAGES.index("es")
    people.hours_from_utc[theirs] = 1


SCENARIOS: dict[str, Callable[[Draft], object]] = {
    "block-mob": block_mob,
    "block-mob-linked": linked_block_mob,
    "breaking-event": breaking_event,
    "controversy-storm": controversy_storm,
    "new-author": new_author,
    "new-viewer": new_viewer,
    "second-language": second_language,
    "sleepers-return": sleepers_return,
    "spam-ring": spam_ring,
}

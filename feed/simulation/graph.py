"""The follow graph: like minds, preferential attachment, triadic closure, reciprocity."""

from dataclasses import dataclass

import numpy as np

from feed.simulation.people import Population
from feed.simulation.topics import LANGUAGES, TopicSpace, all_topics

MUTUAL_SHARE = 0.25
PACK_SIZE = 20


@dataclass(frozen=True)
class Edges:
    """Directed pairs with the day they were made, relative to now."""

    source: np.ndarray
    target: np.ndarray
    day: np.ndarray

    def __len__(self) -> int:
        return len(self.source)


def _out_degrees(rng: np.random.Generator, people: Population) -> np.ndarray:
    n = len(people)
    degree = 40.0 * rng.lognormal(0.0, 0.75, n) * np.clip(people.sessions_per_day, 0.4, 2.0) ** 0.3
    degree[people.joined_day > -1.0] = 6.0
    degree[people.is_spammer] *= 2.0
    degree[people.demo] = (210.0, 185.0, 165.0)[: len(people.demo)]
    return np.clip(degree, 2, max(3, min(n // 4, 800))).astype(np.int64)


def _weighted_draw(rng: np.random.Generator, weight: np.ndarray, size: int) -> np.ndarray:
    cumulative = np.cumsum(weight)
    return np.searchsorted(cumulative, rng.random(size) * cumulative[-1], side="right")


def _by_interest(
    rng: np.random.Generator, people: Population, space: TopicSpace, sources: np.ndarray, pull: np.ndarray
) -> np.ndarray:
    """For each source somebody who writes about a subtopic the source likes."""
    cumulative = np.cumsum(people.subtopic_weight, axis=1)
    draws = rng.random(len(sources)).astype(np.float32) * cumulative[sources, -1]
    liked = np.empty(len(sources), dtype=np.int64)
    for start in range(0, len(sources), 65_536):
        rows = slice(start, start + 65_536)
        liked[rows] = (cumulative[sources[rows]] < draws[rows, None]).sum(axis=1)
    topics = space.topic_of[np.minimum(liked, len(space.topic_of) - 1)]
    targets = np.empty(len(sources), dtype=np.int64)
    for topic in range(len(all_topics())):
        expertise = people.subtopic_weight[:, space.topic_of == topic].sum(axis=1)
        for language in range(len(LANGUAGES)):
            chosen = np.flatnonzero((topics == topic) & (people.language[sources] == language))
            weight = pull * expertise**1.5 * _understood(people, language) + 1e-9
            targets[chosen] = _weighted_draw(rng, weight, len(chosen))
    return targets


def _understood(people: Population, language: int) -> np.ndarray:
    """How gladly speakers of a language follow each person, by what that person writes in."""
    return np.where(
        people.language == language, 1.0 if language == 0 else 4.0, np.where(people.language == 0, 1.0, 0.1)
    )


def distinct(keys: np.ndarray) -> np.ndarray:
    """The different keys in order; for millions of them several times faster than `np.unique`."""
    ordered = np.sort(keys)
    return ordered[np.r_[True, ordered[1:] != ordered[:-1]]] if len(ordered) else ordered


def _unique(n: int, source: np.ndarray, target: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    keep = source != target
    keys = distinct(source[keep] * n + target[keep])
    return keys // n, keys % n


def _friends_of_friends(
    rng: np.random.Generator, n: int, source: np.ndarray, target: np.ndarray, seekers: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Two random steps along edges sorted by source."""
    offsets = np.searchsorted(source, np.arange(n + 1))
    size = np.diff(offsets)
    seekers = seekers[size[seekers] > 0]
    friend = target[offsets[seekers] + (rng.random(len(seekers)) * size[seekers]).astype(np.int64)]
    known = size[friend] > 0
    seekers, friend = seekers[known], friend[known]
    return seekers, target[offsets[friend] + (rng.random(len(friend)) * size[friend]).astype(np.int64)]


def _reciprocated(
    rng: np.random.Generator, people: Population, source: np.ndarray, target: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Some of the followed follow back; the sought-after answer less often."""
    popularity = np.bincount(target, minlength=len(people))
    willing = MUTUAL_SHARE * 0.62 * np.clip(60.0 / (popularity[target] + 20.0), 0.15, 1.6)
    willing *= ~people.is_spammer[source]
    answered = rng.random(len(source)) < willing
    return target[answered], source[answered]


def follow_graph(rng: np.random.Generator, people: Population, space: TopicSpace) -> Edges:
    """Grow the graph in rounds, so that who is followed already is found more easily."""
    n = len(people)
    degree = _out_degrees(rng, people)
    everyone = np.arange(n)
    pull = people.attractiveness * (0.2 + np.sqrt(people.posts_per_day))
    source = target = np.empty(0, dtype=np.int64)
    for share in (0.40, 0.30):
        in_degree = np.bincount(target, minlength=n)
        sources = np.repeat(everyone, np.ceil(degree * share).astype(np.int64))
        targets = _by_interest(rng, people, space, sources, pull * (1.0 + 0.1 * in_degree))
        source, target = _unique(n, np.append(source, sources), np.append(target, targets))
    seekers, found = _friends_of_friends(rng, n, source, target, np.repeat(everyone, (degree * 0.25).astype(np.int64)))
    source, target = _unique(n, np.append(source, seekers), np.append(target, found))
    back, forth = _reciprocated(rng, people, source, target)
    source, target = _unique(n, np.append(source, back), np.append(target, forth))
    return Edges(source, target, _days(rng, people, source, target))


def tied(n: int, edges: Edges, more: list[Edges]) -> Edges:
    """The graph with further edges; of a pair that is there twice the first counts."""
    every = [edges, *more]
    source, target, day = (
        np.concatenate([getattr(part, end) for part in every]) for end in ("source", "target", "day")
    )
    keys, first = np.unique(source * n + target, return_index=True)
    return Edges(keys // n, keys % n, day[first])


def _days(rng: np.random.Generator, people: Population, source: np.ndarray, target: np.ndarray) -> np.ndarray:
    """A day after both had joined, before the visible history where possible."""
    earliest = np.maximum(people.joined_day[source], people.joined_day[target])
    return earliest * rng.uniform(0.05, 0.95, len(source))


def starter_packs(people: Population, edges: Edges, space: TopicSpace) -> list[tuple[int, np.ndarray]]:
    """Per topic with enough authors: (topic, its best-followed honest authors)."""
    popularity = np.bincount(edges.target, minlength=len(people)) + 1.0
    honest = ~(people.is_spammer | people.is_provocateur) & (people.posts_per_day > 0.2)
    packs = []
    for topic in range(len(all_topics())):
        expertise = people.subtopic_weight[:, space.topic_of == topic].sum(axis=1)
        score = np.where(honest & (expertise > 0.2), expertise * np.sqrt(popularity), 0.0)
        members = np.argsort(-score)[: min(PACK_SIZE, int((score > 0).sum()))]
        if len(members) >= 3:
            packs.append((topic, members))
    return packs


def follow_requests(rng: np.random.Generator, people: Population, edges: Edges) -> Edges:
    """Who has asked a locked account lately and waits for an answer: they met it through friends."""
    n = len(people)
    seekers = np.flatnonzero(~people.is_spammer & np.isinf(people.left_day) & (people.joined_day < -10.0))
    found = _friends_of_friends(rng, n, edges.source, edges.target, np.repeat(seekers, 4))
    asker, target = _unique(n, *(end[people.is_locked[found[1]]] for end in found))
    is_new = ~np.isin(asker * n + target, edges.source * n + edges.target)
    asker, target = asker[is_new], target[is_new]
    return Edges(asker, target, -rng.uniform(0.1, 9.0, len(asker)))


def paid_subscriptions(rng: np.random.Generator, people: Population, edges: Edges) -> Edges:
    """A few followers of creators pay for more; the printed logins do where they can."""
    willing = (rng.random(len(edges)) < 0.05) | np.isin(edges.source, people.demo)
    paying = people.is_creator[edges.target] & willing
    return Edges(edges.source[paying], edges.target[paying], edges.day[paying] * 0.5)

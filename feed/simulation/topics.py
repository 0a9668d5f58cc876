"""Topics of the demo world: 25 topics in 6 families, their subtopics, vectors and words."""

from dataclasses import dataclass
from functools import cache

import numpy as np

from feed.simulation.vocabularies import TOPICS

LANGUAGES = ("en", "es", "de", "fr", "pt", "ja")
DIMENSIONS = 16


@dataclass(frozen=True)
class Subtopic:
    """A narrower subject with the nouns people use for it."""

    name: str
    nouns: tuple[str, ...]


@dataclass(frozen=True)
class Topic:
    """A subject people follow; `foreign` maps a language to nouns with their article."""

    slug: str
    name: str
    family: str
    subtopics: tuple[Subtopic, ...]
    activities: tuple[str, ...]
    foreign: dict[str, tuple[str, ...]]


@dataclass(frozen=True)
class TopicSpace:
    """Vectors of all subtopics: rows are subtopics in the order of `subtopic_rows`.

    `topic_of[s]` and `family_of[s]` are indices; `similarity` [S, S] is in [-1, 1].
    """

    vectors: np.ndarray
    topic_of: np.ndarray
    family_of: np.ndarray
    similarity: np.ndarray


def _words(text: str) -> tuple[str, ...]:
    return tuple(word.strip() for word in text.split(","))


def _parse_topic(block: list[str]) -> Topic:
    slug, name, family = (part.strip() for part in block[0].split("|"))
    subtopics: list[Subtopic] = []
    activities: tuple[str, ...] = ()
    foreign: dict[str, tuple[str, ...]] = {}
    for line in (line.strip() for line in block[1:]):
        if line.startswith("+"):
            activities = _words(line[1:])
            continue
        label, words = line.split(":", 1)
        if label in LANGUAGES:
            foreign[label] = _words(words)
        else:
            subtopics.append(Subtopic(name=label, nouns=_words(words)))
    return Topic(slug, name, family, tuple(subtopics), activities, foreign)


@cache
def all_topics() -> tuple[Topic, ...]:
    """Every topic, in a fixed order; the index is the topic's number in all arrays."""
    blocks: list[list[str]] = []
    for line in TOPICS.strip().splitlines():
        if line.startswith(" "):
            blocks[-1].append(line)
        else:
            blocks.append([line])
    return tuple(_parse_topic(block) for block in blocks)


@cache
def families() -> tuple[str, ...]:
    """Family names in order of first appearance."""
    return tuple(dict.fromkeys(topic.family for topic in all_topics()))


@cache
def subtopic_rows() -> tuple[tuple[int, int], ...]:
    """(topic index, subtopic index within it) of each global subtopic number."""
    return tuple((index, inner) for index, topic in enumerate(all_topics()) for inner in range(len(topic.subtopics)))


def topic_space(rng: np.random.Generator) -> TopicSpace:
    """Draw vectors as family part + topic part + own part, so that neighbours are alike."""
    rows = np.array(subtopic_rows())
    topic_of = rows[:, 0]
    family_index = {name: index for index, name in enumerate(families())}
    topic_family = np.array([family_index[topic.family] for topic in all_topics()])
    family_part = rng.normal(size=(len(family_index), DIMENSIONS))
    topic_part = rng.normal(size=(len(topic_family), DIMENSIONS))
    own_part = rng.normal(size=(len(rows), DIMENSIONS))
    vectors = 0.7 * family_part[topic_family[topic_of]] + topic_part[topic_of] + 0.6 * own_part
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return TopicSpace(
        vectors=vectors.astype(np.float32),
        topic_of=topic_of,
        family_of=topic_family[topic_of],
        similarity=(vectors @ vectors.T).astype(np.float32),
    )

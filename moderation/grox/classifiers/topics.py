"""Topics of a post by likeness to the topics' names, so that any catalogue works without training.

The MiniLM vector of a post is compared with those of the names in the catalogue. What is far from all
of them has no topic.
"""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from threading import Lock

import numpy as np
from numpy.typing import NDArray

from accounts.models import Topic
from moderation.grox.classifiers.schemas import Entity
from moderation.grox.embedders import minilm
from moderation.grox.text import normalise
from xsocial.kernel import metrics

VERSION = "topic_names_v1"
CATALOGUE_S = 3_600.0
MIN_COSINE = 0.36  # chosen by looking at everyday posts: below it names match by chance
MAX_TOPICS = 2

_lock = Lock()
_held: list["Catalogue"] = []


@dataclass(frozen=True)
class Catalogue:
    """Ids of all topics and the vectors [T, 384] of their names, as of `read_at`."""

    ids: tuple[int, ...]
    names: tuple[str, ...]
    categories: dict[int, int]
    vectors: NDArray[np.float32]
    read_at: float


def catalogue() -> Catalogue:
    """The topic catalogue, read again after an hour; an empty one is read again at once."""
    with _lock:
        is_held = bool(_held and _held[0].ids and time.monotonic() - _held[0].read_at < CATALOGUE_S)
        metrics.counter("grox_topic_catalogue", "Uses of the topic catalogue", ("outcome",)).labels(
            "hit" if is_held else "load"
        ).inc()
        if not is_held:
            _held[:] = [_read()]
        return _held[0]


def _read() -> Catalogue:
    rows = list(Topic.objects.order_by("pk").values_list("pk", "name", "parent_id"))
    return Catalogue(
        ids=tuple(pk for pk, _, _ in rows),
        names=tuple(name for _, name, _ in rows),
        categories={pk: parent or pk for pk, _, parent in rows},
        vectors=minilm.embed([normalise(name) for _, name, _ in rows]),
        read_at=time.monotonic(),
    )


def entities_of(topics: Mapping[int, float]) -> tuple[Entity, ...]:
    """Topics with their confidence as entities; ids that the catalogue does not know are dropped and counted."""
    categories = catalogue().categories
    unknown = [pk for pk in topics if pk not in categories]
    metrics.counter("grox_unknown_topics", "Topics that are not in the catalogue").inc(len(unknown))
    return tuple(
        Entity(id=pk, category=categories[pk], score=score) for pk, score in topics.items() if pk in categories
    )


def catalogue_names() -> dict[int, str]:
    """The names of all topics by id."""
    known = catalogue()
    return dict(zip(known.ids, known.names, strict=True))


def forget() -> None:
    """Read the catalogue again at the next call."""
    with _lock:
        _held.clear()


def topics_of(vector: NDArray[np.float32]) -> dict[int, float]:
    """At most two topic ids with their likeness in [0, 1], the likest first."""
    known = catalogue()
    likeness = known.vectors @ vector
    best = [int(row) for row in np.argsort(-likeness)[:MAX_TOPICS] if likeness[row] >= MIN_COSINE]
    return {known.ids[row]: round(float(likeness[row]), 4) for row in best}

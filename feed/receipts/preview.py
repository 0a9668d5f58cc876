"""A page that was served, as another tuning would have ordered the same candidates.

A load run again, whose predictions are asked of the model at most once: they follow from no weight.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np

from feed.candidate_pipeline import Batch, Hydrated, Pipeline
from feed.home_mixer import feed_item
from feed.home_mixer.query import ScoredPostsQuery
from feed.home_mixer.scorers.phoenix_scorer import PhoenixScorer
from feed.home_mixer.tuning import Tuning
from feed.models import Receipt
from feed.receipts import codec, replay
from feed.receipts.replay import Place
from xsocial.kernel import redis
from xsocial.kernel.errors import NotFound, Unavailable

KEPT_S = 900
LOOKED_AT = 10  # newest loads among which a page of For You is sought
SURFACES = ("for_you", "for_you_with_snoozed_topics", "ranked_following")


@dataclass(frozen=True, slots=True)
class Line:
    """A post and its place among the posts of the page, then and now; None is "not on the page"."""

    post_id: int
    was: int | None
    now: int | None

    @property
    def change(self) -> str:
        """What became of it: same, up, down, new or gone."""
        if self.was is None or self.now is None:
            return "gone" if self.now is None else "new"
        return "same" if self.was == self.now else "up" if self.now < self.was else "down"


@dataclass(frozen=True, slots=True)
class Preview:
    """A page under another tuning: its posts in their order, then those that left it."""

    request_id: int
    served_at: datetime
    lines: tuple[Line, ...]

    def count(self, change: str) -> int:
        """How many posts this became of."""
        return sum(line.change == change for line in self.lines)


def latest(viewer_id: int) -> Receipt:
    """The viewer's newest page of For You that a model ranked. Raises NotFound."""
    rows = Receipt.objects.filter(viewer_id=viewer_id).select_related("settings").defer("reach")
    for row in rows.order_by("-request_id")[:LOOKED_AT].iterator(chunk_size=1):
        receipt = codec.unpack(bytes(row.body))["receipt"]
        if receipt["surface"] in SURFACES and receipt["ranked_by"] == "model":
            return row
    raise NotFound("There is no page of yours to try this on yet. Look at For You first.")


def under(row: Receipt, pipelines: tuple[Pipeline, Pipeline], tuning: Tuning) -> Preview:
    """The page again, tuned so. Raises what a replay raises, and Unavailable when a part of it fails."""
    found = replay.replay(row, pipelines, tuning=tuning, ranked_by=lambda model: _Remembered(model, row.request_id))
    if found.broken:
        raise Unavailable("Your last page cannot be put together again just now.", extra={"parts": found.broken})
    return Preview(row.request_id, row.created_at, tuple(_lines(found.served, found.replayed)))


def _lines(served: tuple[Place, ...], replayed: tuple[Place, ...]) -> Iterator[Line]:
    was, now = ({int(place.id): n for n, place in enumerate(_posts(page), 1)} for page in (served, replayed))
    yield from (Line(post_id, was.get(post_id), place) for post_id, place in now.items())
    yield from (Line(post_id, place, None) for post_id, place in was.items() if post_id not in now)


def _posts(page: tuple[Place, ...]) -> Iterator[Place]:
    return (place for place in page if place.kind == feed_item.POST)


class _Remembered(PhoenixScorer):
    """The model's predictions for one load, kept a while after they were first asked for."""

    def __init__(self, model: PhoenixScorer, request_id: int) -> None:
        super().__init__(model.version, model.arithmetic)
        self.key = f"feed:predictions:{request_id}"

    def score(self, query: ScoredPostsQuery, batch: Batch) -> Hydrated:
        """One look into Valkey; without it, or without an answer there, the model is asked."""
        kept = self._kept(batch["post_id"])
        if kept is not None:
            return Hydrated(kept)
        answer = super().score(query, batch)
        body = {"post_id": batch["post_id"], "columns": dict(answer.columns)}
        with suppress(redis.RedisError):
            redis.client("cache").set(self.key, codec.pack(body), ex=KEPT_S)
        return answer

    def _kept(self, post_ids: np.ndarray) -> dict[str, Any] | None:
        packed = None
        with suppress(redis.RedisError):
            packed = redis.client("cache").get(self.key)
        body = codec.unpack(packed) if packed else None
        return body["columns"] if body and np.array_equal(body["post_id"], post_ids) else None

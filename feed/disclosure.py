"""What ranks the feed, for everybody to read: weights, parameters and models in force, and how they came to be."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.conf import settings

from feed import weights
from feed.home_mixer import params
from feed.models import WeightChange
from feed.receipts.words import VERBS
from ranking.models import ModelVersion
from xsocial.kernel.paging import Cursor, paged


@dataclass(frozen=True)
class Weighing:
    """What one predicted action counts for."""

    head: str
    label: str
    weight: float
    published: float


@dataclass(frozen=True)
class Setting:
    """A parameter; `because` is why its value is not the published one."""

    name: str
    value: Any
    published: Any
    source: str
    because: str

    @property
    def differs(self) -> bool:
        return bool(self.value != self.published)


@dataclass(frozen=True)
class Model:
    """A model that serves. `quality` is NDCG@10 of a ranker, recall@500 of retrieval, on page loads it never saw."""

    kind: str
    name: str
    since: datetime | None
    sha256: str
    quality: float | None


@dataclass(frozen=True)
class InForce:
    """Everything that, with a person's own history and settings, decides a page."""

    build: str
    profile: str
    weight_set: int
    weights: list[Weighing]
    parameters: list[Setting]
    models: list[Model]


def in_force() -> InForce:
    """What the next page load is ranked with."""
    live = weights.live()
    now = params.resolve(settings.FEED_PROFILE, live.parameters)
    notes = weights.notes()
    return InForce(
        build=settings.BUILD,
        profile=now.profile,
        weight_set=live.weights.number,
        weights=[
            Weighing(head, VERBS[head][1], live.weights.weights[head], published)
            for head, published in params.PUBLISHED_WEIGHTS.items()
        ],
        parameters=[
            Setting(name, getattr(now, name), published, about.where, notes.get(name, about.because))
            for name, _, published, about in params.parameters()
        ],
        models=[
            Model(model.kind, model.name, model.promoted_at, model.artefact_hash, model.quality)
            for model in ModelVersion.objects.filter(status=ModelVersion.Status.PROMOTED).order_by("kind")
        ],
    )


def changes(cursor: Cursor) -> list[WeightChange]:
    """A page of the log, newest first."""
    return paged(WeightChange.objects.select_related("weight_set", "actor"), cursor)

"""Values the blenders take and give. Plain Python: no database, no framework.

Upstream twin: the ad and feed-item messages read by `home-mixer/ads/`. The blenders read posts and ads
through the two protocols below, so the feed may pass its own rows as long as they carry these names.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum, StrEnum
from typing import Protocol


class Verdict(IntEnum):
    """How safe it is to put an ad beside a post. The worse of two verdicts is the larger number."""

    UNSPECIFIED = 0
    SAFE = 1
    LOW_RISK = 2
    MEDIUM_RISK = 3


class AdjacencyRisk(StrEnum):
    """What an advertiser asked for; LOW and IAS refuse low-risk neighbours, the others do not."""

    UNKNOWN = "unknown"
    LOW = "low"
    IAS = "ias"
    MEDIUM = "medium"


STRICT_RISKS = frozenset({AdjacencyRisk.LOW, AdjacencyRisk.IAS})


@dataclass(frozen=True, slots=True)
class AdjacencyControl:
    """Which neighbours an ad refuses: by risk level, by author id, by words."""

    risk: AdjacencyRisk = AdjacencyRisk.UNKNOWN
    handles: frozenset[int] = frozenset()
    keywords: tuple[str, ...] = ()

    @property
    def is_strict(self) -> bool:
        return self.risk in STRICT_RISKS


class BlendablePost(Protocol):
    """An organic post as the blenders see it. A missing verdict counts as medium risk."""

    @property
    def id(self) -> int: ...
    @property
    def author_id(self) -> int: ...
    @property
    def text(self) -> str: ...
    @property
    def score(self) -> float: ...
    @property
    def verdict(self) -> Verdict | None: ...


class BlendableAd(Protocol):
    """An ad as the blenders see it; `insert_position` is the ad server's wish, possibly negative."""

    @property
    def id(self) -> int: ...
    @property
    def insert_position(self) -> int: ...
    @property
    def control(self) -> AdjacencyControl | None: ...


@dataclass(frozen=True, slots=True)
class OrganicPost:
    """The plainest `BlendablePost`."""

    id: int
    author_id: int
    text: str = ""
    score: float = 0.0
    verdict: Verdict | None = None


@dataclass(frozen=True, slots=True)
class PlacedAd:
    """The plainest `BlendableAd`."""

    id: int
    insert_position: int
    control: AdjacencyControl | None = None


@dataclass(frozen=True, slots=True)
class Spacing:
    """Organic posts wanted between ads, and the least that is accepted."""

    requested: int
    min: int


@dataclass(frozen=True, slots=True)
class BlendedItem:
    """One place in the blended feed: exactly one of post and ad is set."""

    position: int
    post: BlendablePost | None = None
    ad: BlendableAd | None = None

    @property
    def is_ad(self) -> bool:
        return self.ad is not None


@dataclass(frozen=True, slots=True)
class Enforcement:
    """What adjacency controls did in one blend; `bsr_ok` counts strict ads that passed the risk check."""

    bsr_drop: int = 0
    bsr_ok: int = 0
    handle_drop: int = 0
    keyword_drop: int = 0


@dataclass(frozen=True, slots=True)
class BlendResult:
    """The blended feed and how it came about.

    `spacing` is reported also when nothing was blended; `gaps` are SafeGap's chosen gap indices before
    interleaving; `target` is PartitionOrganic's target number of ads. `counters` are keyed
    `<metric>.<tag>` and describe the input as well as the enforcement.
    """

    items: tuple[BlendedItem, ...]
    spacing: Spacing
    gaps: tuple[int, ...] = ()
    target: int = 0
    enforcement: Enforcement = Enforcement()
    counters: Mapping[str, int] = field(default_factory=dict)

    @property
    def ads(self) -> tuple[BlendableAd, ...]:
        return tuple(item.ad for item in self.items if item.ad is not None)

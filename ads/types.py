"""Plain values of advertising that other apps and the database share. Money is in micros: 1e-6 of the unit."""

from dataclasses import dataclass, field
from enum import StrEnum

from ads.blending.types import AdjacencyControl

MICROS = 1_000_000


class Objective(StrEnum):
    """What a campaign is for."""

    REACH = "reach"
    CLICKS = "clicks"
    ENGAGEMENT = "engagement"
    FOLLOWS = "follows"
    VIDEO_VIEWS = "video_views"


class BidType(StrEnum):
    """What the bid pays for: a thousand impressions, or one click."""

    CPM = "cpm"
    CPC = "cpc"


class Pacing(StrEnum):
    """EVEN spreads the daily budget over the day, ASAP spends it as it can."""

    EVEN = "even"
    ASAP = "asap"


class CampaignStatus(StrEnum):
    """What the advertiser wants; review is a separate matter."""

    DRAFT = "draft"
    ACTIVE = "active"
    PAUSED = "paused"
    ENDED = "ended"


class ReviewState(StrEnum):
    PENDING = "pending"
    APPROVED = "approved"
    REJECTED = "rejected"


class DeliveryKind(StrEnum):
    """What happened to an ad in front of a viewer. Each at most once per impression."""

    IMPRESSION = "impression"
    CLICK = "click"
    HIDE = "hide"


class EntryKind(StrEnum):
    """Why an advertiser's balance changed."""

    DEPOSIT = "deposit"
    CHARGE = "charge"


class HideScope(StrEnum):
    """How much a viewer hides: this ad, or everything of its advertiser."""

    AD = "ad"
    ADVERTISER = "advertiser"


@dataclass(frozen=True, slots=True)
class AdViewer:
    """What eligibility may know about a viewer.

    `excluded_user_ids` are accounts the viewer blocks or mutes or is blocked by. Without
    `personalises_ads`, followed topics are not used.
    """

    id: int
    country_code: str = ""
    language: str = ""
    followed_topic_ids: frozenset[int] = frozenset()
    excluded_user_ids: frozenset[int] = frozenset()
    personalises_ads: bool = True


@dataclass(frozen=True, slots=True)
class AdCandidate:
    """An ad that won a place, ready to be blended and shown.

    `author_id` is the account that speaks: the promoted post's author, else the advertiser's owner. `token`
    is handed back with each impression, click and hide; `why` are the reasons the viewer may read.
    `price_micros` is due once per event of `bid_type`.
    """

    id: int
    impression_id: int
    campaign_id: int
    advertiser_id: int
    advertiser_name: str
    author_id: int
    post_id: int | None
    headline: str
    text: str
    url: str
    image_url: str
    insert_position: int
    control: AdjacencyControl
    bid_type: BidType
    price_micros: int
    score: float
    token: str
    why: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CreativeSpec:
    """A creative to be made: a promoted post, or a headline with a link."""

    post_id: int | None = None
    headline: str = ""
    text: str = ""
    url: str = ""
    control: AdjacencyControl = field(default_factory=AdjacencyControl)


@dataclass(frozen=True, slots=True)
class Targeting:
    """Whom a campaign wants to reach; an empty set asks for nothing. Topics are (id, name), and a wish only."""

    countries: frozenset[str] = frozenset()
    languages: frozenset[str] = frozenset()
    topics: tuple[tuple[int, str], ...] = ()

"""Plain values of the feed: what a page is asked with, and what it is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class FeedRequest:
    """What a client may say with its request. Everything has a sensible default.

    ``ip_address`` is looked up for country and region and then forgotten. ``country_code`` and
    ``language_code`` take the place of the viewer's settings.
    ``context``: launch, foreground, pull_to_refresh, background_fetch, ... as the client knows.
    ``overrides`` replace parameters for this request only and are honoured for staff alone.
    """

    cursor: str = ""
    platform: str = "web"
    context: str = ""
    seen_ids: tuple[int, ...] = ()
    served_ids: tuple[int, ...] = ()
    topic_ids: tuple[int, ...] = ()
    excluded_topic_ids: tuple[int, ...] = ()
    in_network_only: bool = False
    exclude_videos: bool = False
    is_polling: bool = False
    is_preview: bool = False
    push_to_home_post_id: int = 0
    request_id: int = 0
    country_code: str = ""
    language_code: str = ""
    ip_address: str = field(default="", repr=False)
    overrides: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class FeedItem:
    """One place of a page. ``kind``: post, ad, who_to_follow, prompt or push_to_home.

    ``reposted_by`` is the author of the repost that brought the post here (0 for none); then
    ``post_id`` is the reposted post and ``wrapper_id`` the repost. ``notice`` names what covers
    the post ("adult", ...), empty for nothing. ``ancestors``: what it answers, nearest first.
    """

    position: int
    kind: str
    post_id: int = 0
    author_id: int = 0
    wrapper_id: int = 0
    reposted_by: int = 0
    in_network: bool = True
    source: str = ""
    score: float = 0.0
    ancestors: tuple[int, ...] = ()
    notice: str = ""
    reason: str = ""
    ad: Any = None
    user_ids: tuple[int, ...] = ()
    prompt: Any = None
    facepile: tuple[int, ...] = ()

    @property
    def people(self) -> tuple[int, ...]:
        """Whom it names beside its author: suggestions, or people who answered the post."""
        return self.user_ids or self.facepile


@dataclass(frozen=True, slots=True)
class ForYouPage:
    """One answered request. ``cursor`` asks for what follows, ``top_cursor`` for what is newer.
    ``degraded`` says what is missing and why.

    ``model`` is empty when the page is in order of time. ``dropped`` counts by filter. ``is_tuned``: by the
    viewer's own multipliers.
    """

    request_id: int
    items: tuple[FeedItem, ...]
    cursor: str
    degraded: tuple[str, ...] = ()
    model: str = ""
    weight_set: int = 0
    build: str = ""
    is_cached: bool = False
    is_tuned: bool = False
    top_cursor: str = ""
    dropped: Mapping[str, int] = field(default_factory=dict)

    @property
    def num_dropped(self) -> int:
        """How many candidates the filters left out."""
        return sum(self.dropped.values())


@dataclass(frozen=True, slots=True)
class Contribution:
    """One predicted action: its probability (or seconds), weight, and what it added to the sum.

    ``raw`` is the prediction before calibration.
    """

    head: str
    label: str
    raw: float
    prediction: float
    weight: float
    added: float


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a post's way to its place, in words."""

    label: str
    value: str


@dataclass(frozen=True, slots=True)
class Chapter:
    """A part of an explanation: a heading and its sentences."""

    title: str
    sentences: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why a post stands where it stands.

    ``summary`` is one sentence; ``added`` and ``taken`` the contributions by size; ``path`` the
    way from source to place; ``story`` all of it in sentences; ``table`` every contribution;
    ``receipt`` the stored figures.
    """

    request_id: int
    post_id: int
    summary: str
    added: tuple[Contribution, ...]
    taken: tuple[Contribution, ...]
    path: tuple[Step, ...]
    story: tuple[Chapter, ...]
    table: tuple[Contribution, ...]
    receipt: Mapping[str, Any]

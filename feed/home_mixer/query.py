"""The query: what a request asks, and what the query hydrators learned about the viewer."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from accounts.selectors.graph import ViewerSettings
from xsocial.kernel import clock, ids

from .params import PUBLISHED_WEIGHTS, Params
from .tuning import Tuning, effective

BULK_TOPICS = 6


def no_ids() -> np.ndarray:
    """An empty list of ids."""
    return np.empty(0, np.int64)


class Memo:
    """What one request reads once and several stages need. Safe to share among threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._locks: dict[str, threading.Lock] = {}
        self._values: dict[str, Any] = {}

    def once(self, key: str, read: Callable[[], Any]) -> Any:
        """The value under ``key``; the first caller reads it, the others wait."""
        with self._lock:
            lock = self._locks.setdefault(key, threading.Lock())
        with lock:
            if key not in self._values:
                self._values[key] = read()
            return self._values[key]

    def put(self, key: str, value: Any) -> None:
        """Note something for a later stage of the same request."""
        with self._lock:
            self._values[key] = value

    def get(self, key: str, default: Any = None) -> Any:
        """What was noted or read under ``key``."""
        return self._values.get(key, default)


@dataclass(frozen=True)
class WeightsInForce:
    """The weights of one page load: the site's, and how the viewer tuned them. Number 0 is the published set."""

    number: int = 0
    site: Mapping[str, float] = field(default_factory=lambda: dict(PUBLISHED_WEIGHTS))
    tuning: Tuning = field(default_factory=Tuning)

    @cached_property
    def weights(self) -> Mapping[str, float]:
        """What counts: the site's weights as tuned."""
        return effective(self.site, self.tuning)


@dataclass(frozen=True, eq=False)
class ScoredPostsQuery:
    """One request. Fields below "hydrated" keep their defaults when their hydrator fails."""

    # --- Request
    user_id: int
    request_id: int
    prediction_id: int
    now_ms: int
    params: Params = field(default_factory=Params)
    weights: WeightsInForce = field(default_factory=WeightsInForce)
    platform: str = "web"
    ip_address: str = field(default="", repr=False)  # for the look-up alone: never stored
    country_code: str = ""
    language_code: str = ""
    request_context: str = ""
    is_bottom_request: bool = False
    is_top_request: bool = False
    is_gap_request: bool = False
    is_polling: bool = False
    is_preview: bool = False
    is_shadow_traffic: bool = False
    has_cursor: bool = False
    in_network_only: bool = False
    exclude_videos: bool = False
    seen_ids: np.ndarray = field(default_factory=no_ids)
    cursor_ids: np.ndarray = field(default_factory=no_ids)  # shown on the pages before, or above
    topic_ids: tuple[int, ...] = ()
    excluded_topic_ids: tuple[int, ...] = ()
    push_to_home_post_id: int = 0
    memo: Memo = field(default_factory=Memo, compare=False, repr=False)

    holds_unscreened: bool = True  # recommend only what Grox has looked at

    # --- Viewer data, read while the query is built
    viewer: ViewerSettings = field(default_factory=ViewerSettings)
    muted_keywords: tuple[str, ...] = ()

    # --- Hydrated: history
    served_ids: np.ndarray = field(default_factory=no_ids)
    served_order: tuple[np.ndarray, np.ndarray] | None = None  # ids, and pages ago; None where nobody asks
    who_to_follow_shown: tuple[int, ...] = ()
    who_to_follow_eligible: bool = False
    impressed_post_ids: np.ndarray = field(default_factory=no_ids)
    bloom_filters: tuple = ()
    request_times_ms: tuple[int, ...] = ()
    following_at_ms: int = 0  # when the viewer last looked at Following
    author_exposure: tuple[np.ndarray, np.ndarray] | None = None  # authors lately served, and how much of them

    # --- Hydrated: model input
    scoring_sequence: Any = None
    taste: Any = None  # what the viewer leans to by looking
    retrieval_sequence: Any = None
    engagement_signals: np.ndarray = field(default_factory=lambda: np.empty((0, 3), np.int64))  # kind, post, time

    # --- Hydrated: graph and interests
    blocked_user_ids: np.ndarray = field(default_factory=no_ids)
    muted_user_ids: np.ndarray = field(default_factory=no_ids)
    followed_user_ids: np.ndarray = field(default_factory=no_ids)
    subscribed_user_ids: np.ndarray = field(default_factory=no_ids)
    new_user_topic_ids: tuple[int, ...] = ()
    policy_excluded_ids: np.ndarray = field(default_factory=no_ids)
    viewer_minhash: np.ndarray | None = None

    # --- Hydrated: the person, as the models' context; None where nothing is known
    followed_grok_topics: np.ndarray | None = None  # 32 yes or no
    inferred_grok_topics: np.ndarray | None = None  # 32 yes or no
    followed_starter_packs: np.ndarray | None = None  # 20 yes or no
    user_demographics: Any = None
    user_gender: str = ""
    ip_location: Any = None

    # --- Hydrated: cached candidates
    cached_posts: Any = None
    has_cached_posts: bool = False

    @property
    def is_topic_request(self) -> bool:
        """Asks for certain topics."""
        return bool(self.topic_ids)

    @property
    def is_bulk_topic_request(self) -> bool:
        """Asks for so many topics that they only exclude the others."""
        return len(self.topic_ids) > BULK_TOPICS

    @property
    def wants_context(self) -> bool:
        """Whether what is known of the person is gathered for the models."""
        return self.params.enable_context_features or self.is_shadow_traffic

    @property
    def allows_reexposure(self) -> bool:
        """Whether a served post may come back a bounded number of times."""
        return self.params.reexposure_enabled and self.params.reexposure_max_serves > 1

    @property
    def mutes_strictly(self) -> bool:
        """Muted words are also sought in what a post answers and quotes: in Following alone."""
        return self.params.strict_muted_keywords and self.in_network_only and bool(self.muted_keywords)

    @property
    def query_type(self) -> str:
        """What is asked for: polling, initial, newer, older, middle (a gap) or other."""
        if self.is_polling:
            return "polling"
        if not self.has_cursor:
            return "initial"
        if self.is_gap_request:
            return "middle"
        return "newer" if self.is_top_request else "older" if self.is_bottom_request else "other"

    @property
    def surface_label(self) -> str:
        """The surface's name in metrics."""
        if self.in_network_only:
            return "ranked_following"
        if self.topic_ids:
            return "topics"
        return "for_you_with_snoozed_topics" if self.excluded_topic_ids else "for_you"

    @property
    def account_age_s(self) -> float:
        """Seconds since the viewer's account was made, read from its id."""
        return max(0.0, (self.now_ms - ids.timestamp_ms(self.user_id)) / 1000)

    @property
    def year(self) -> int:
        """The calendar year of the request, UTC."""
        return clock.from_ms(self.now_ms).year

    @property
    def cache_key(self) -> str:
        """Where this request's candidates are cached; their choice follows from the viewer's tuning too."""
        topics = ",".join(map(str, sorted(self.topic_ids)))
        digest = hashlib.blake2b(f"{topics}{self.weights.tuning.words}".encode(), digest_size=6).hexdigest()
        return f"feed:cand:{self.user_id}:{self.in_network_only:d}:{self.exclude_videos:d}:{digest}"


def fraction(key: int, salt: str) -> float:
    """A number in [0, 1) that depends on the key (mostly a request id) alone: for deterministic samples."""
    return _digest(key, salt) / 2**64


def generator(request_id: int, salt: str) -> np.random.Generator:
    """Randomness that a request has again whenever it is replayed."""
    return np.random.default_rng(_digest(request_id, salt))


def _digest(key: int, salt: str) -> int:
    return int.from_bytes(hashlib.blake2b(f"{salt}:{key}".encode(), digest_size=8).digest(), "big")

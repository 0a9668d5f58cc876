"""Every constant of the Home Mixer: typed, with its published default, source and bounds.

Sources: A = default published in August 2026; M = fixed in the May 2026 code; D = ours, because
nothing was published. Live values come from ``FeatureParameter`` rows and the active weight set.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any

UPSTREAM, SMALL_PLATFORM = "upstream", "small_platform"


@dataclass(frozen=True, slots=True)
class Parameter:
    """What is known about one parameter."""

    upstream: str
    source: str
    low: float | None = None
    high: float | None = None
    small: Any = None  # value in the small_platform profile, where it differs
    because: str = ""  # why ours differs, or why we chose it


def param(default: Any, upstream: str, source: str, **about: Any) -> Any:
    """A field of ``Params`` with its pedigree."""
    return field(default=default, metadata={"about": Parameter(upstream, source, **about)})


_CPU = "a small corpus and one CPU"


@dataclass(frozen=True)
class Params:
    """Resolved values of one request."""

    # --- Sources
    thunder_max_results: int = param(1200, "ThunderMaxResults", "A", low=0, high=10_000, small=400, because=_CPU)
    phoenix_max_results: int = param(1000, "PhoenixMaxResults", "A", low=0, high=5_000, small=300, because=_CPU)
    enable_phoenix_source: bool = param(True, "EnablePhoenixSource", "A")
    enable_phoenix_topics: bool = param(True, "EnableNewUserTopicRetrieval", "D", because="helps cold start")
    popular_max_results: int = param(800, "TweetMixerMaxResults", "A", low=0, high=5_000, small=100, because=_CPU)
    enable_popular: bool = param(
        False,
        "EnableTweetMixerSource",
        "A",
        small=True,
        because="a newcomer who follows nobody must not meet an empty page",
    )
    popular_below_follows: int = param(
        20, "-", "D", low=0, high=10_000, because="popular posts are for those with a thin network"
    )
    enable_ads: bool = param(True, "EnableAdsSource", "A")
    enable_who_to_follow: bool = param(True, "EnableWhoToFollowModule", "A")
    enable_prompts: bool = param(True, "EnablePrompts", "A")

    # --- Sequences
    max_sequence_scoring: int = param(
        1024, "MaxSeqLengthScoring", "A", low=1, high=4_096, small=128, because="length our model is trained with"
    )
    max_sequence_retrieval: int = param(
        1024, "MaxSeqLengthRetrieval", "A", low=1, high=4_096, small=128, because="length our model is trained with"
    )

    # --- Cached candidates
    enable_cached_posts: bool = param(True, "EnableCachedPosts", "A")
    cached_posts_threshold: int = param(500, "-", "M", low=1, high=5_000, small=100, because=_CPU)
    max_posts_to_cache: int = param(750, "MaxPostsToCache", "A", low=0, high=5_000, small=250, because=_CPU)
    cache_ttl_s: int = param(180, "-", "M", low=1, high=3_600)

    # --- Filters
    max_post_age_s: int = param(172_800, "MAX_POST_AGE", "A", low=60, high=31_536_000)
    filter_served_always: bool = param(True, "EnableServedFilterAllRequests", "A")
    served_window_s: int = param(600, "ExcludeServedTweetIdsDuration", "A", low=0, high=86_400)
    served_ids_limit: int = param(100, "ExcludeServedTweetIdsNumber", "A", low=0, high=5_000)
    impressed_limit: int = param(
        1_000,
        "-",
        "D",
        low=0,
        high=10_000,
        because="exact impressions of the age window; the bloom filter is approximate",
    )
    topic_confidence: float = param(0.5, "TopicFilteringId", "A", low=0.0, high=1.0)
    new_user_topic_filtering: bool = param(
        False, "EnableNewUserTopicFiltering", "D", because="hard filtering starves a small corpus"
    )
    new_user_topic_age_s: int = param(
        604_800, "NewUserTopicAgeThresholdSecs", "D", low=0, high=31_536_000, because="a typical first week"
    )

    # --- Ranking
    negative_scores_offset: float = param(0.001, "NEGATIVE_SCORES_OFFSET", "A", low=1e-9, high=1.0)
    enable_author_diversity: bool = param(True, "EnableAuthorDiversity", "A")
    author_diversity_decay: float = param(0.5, "AuthorDiversityDecay", "A", low=0.0, high=1.0)
    author_diversity_floor: float = param(0.25, "AuthorDiversityFloor", "A", low=0.0, high=1.0)
    oon_weight_factor: float = param(0.75, "OonWeightFactor", "A", low=0.0, high=10.0)
    topic_oon_weight_factor: float = param(0.5, "TopicOonWeightFactor", "A", low=0.0, high=10.0)
    new_user_oon_weight_factor: float = param(0.00001, "NEW_USER_OON_WEIGHT_FACTOR", "A", low=0.0, high=10.0)
    new_user_min_following: int = param(5, "NEW_USER_MIN_FOLLOWING", "A", low=0, high=10_000)
    new_user_age_s: int = param(0, "NewUserAgeThresholdSecs", "A", low=0, high=31_536_000)
    min_video_duration_ms: int = param(10_000, "MinVideoDurationMs", "A", low=0, high=3_600_000)
    vqv_max_followers: int = param(10_000, "-", "A", low=0, high=1_000_000_000)
    check_quoted_video: bool = param(False, "EnableQuotedVqvDurationCheck", "A")

    # --- Selection
    top_k: int = param(50, "TOP_K_CANDIDATES_TO_SELECT", "A", low=1, high=1_000)
    result_size: int = param(35, "RESULT_SIZE", "A", low=1, high=500)
    page_size: int = param(
        39, "FOR_YOU_MAX_RESULT_SIZE", "D", low=1, high=500, because="35 posts and 4 modules; frames are not built"
    )
    who_to_follow_position: int = param(6, "WHO_TO_FOLLOW_POSITION", "A", low=1, high=100)
    who_to_follow_fatigue_h: int = param(30, "WhoToFollowFatigueHours", "A", low=0, high=8_760)
    ads_blender: str = param("partition_organic", "AdsBlenderType", "A")
    ads_limit: int = param(12, "-", "D", low=0, high=50, because="one and a half times what a page can take")

    # --- Exploration
    exploration_share: float = param(
        0.01, "-", "D", low=0.0, high=0.5, because="off-policy estimates need some randomness in the logs"
    )
    exploration_swap: float = param(
        0.5, "-", "D", low=0.0, high=0.5, because="an even chance gives the swapped pairs the most information"
    )
    exploration_pairs: int = param(3, "-", "D", low=0, high=10, because="bounds what one explored page can lose")

    # --- Time limits, milliseconds
    query_hydrator_ms: int = param(
        300, "-", "D", low=1, high=10_000, because="where a component is given up; targets are in the benchmark"
    )
    source_ms: int = param(1_000, "-", "D", low=1, high=10_000, because="where a component is given up")
    hydrator_ms: int = param(400, "-", "D", low=1, high=10_000, because="where a component is given up")
    scorer_ms: int = param(2_000, "-", "D", low=1, high=10_000, because="where a component is given up")
    request_ms: int = param(4_000, "-", "D", low=1, high=60_000, because="a page later than this helps nobody")


@dataclass(frozen=True, slots=True)
class Weight:
    """One head of the value model. ``sign`` bounds it: +1 not negative, -1 not positive."""

    head: str
    default: float
    sign: int
    continuous: bool = False


# Order of the columns of a candidate's predictions. "repost" is the published "retweet".
WEIGHTS: tuple[Weight, ...] = (
    Weight("favorite", 0.5, 1),
    Weight("reply", 5.0, 1),
    Weight("repost", 1.0, 1),
    Weight("photo_expand", 0.05, 1),
    Weight("click", 0.4, 1),
    Weight("profile_click", 0.0, 1),
    Weight("vqv", 0.05, 1),
    Weight("share", 2.0, 1),
    Weight("share_via_dm", 5.0, 1),
    Weight("share_via_copy_link", 20.0, 1),
    Weight("dwell", 0.0, 1),
    Weight("quote", 5.0, 1),
    Weight("quoted_click", 0.05, 1),
    Weight("quoted_vqv", 0.0, 1),
    Weight("follow_author", 4.0, 1),
    Weight("not_interested", -43.2, -1),
    Weight("block_author", -31.2, -1),
    Weight("mute_author", -58.8, -1),
    Weight("report", -234.0, -1),
    Weight("not_dwelled", -0.02, -1),
    Weight("dwell_time", 0.004, 1, continuous=True),
    Weight("click_dwell_time", 0.0, 1, continuous=True),
)
HEADS: tuple[str, ...] = tuple(weight.head for weight in WEIGHTS)
PUBLISHED_WEIGHTS: Mapping[str, float] = {weight.head: weight.default for weight in WEIGHTS}
MAX_WEIGHT = 1_000.0


def parameters() -> Iterator[tuple[str, type, Any, Parameter]]:
    """Name, type, published default and pedigree of each parameter, in order."""
    for each in fields(Params):
        yield each.name, type(each.default), each.default, each.metadata["about"]


def resolve(profile: str, overrides: Mapping[str, Any]) -> Params:
    """Defaults of the profile, then the live overrides that are well-formed."""
    sizes = {name: about.small for name, _, _, about in parameters() if about.small is not None}
    sound = {name: value for name, value in overrides.items() if not override_problem(name, value)}
    return replace(Params(), **((sizes if profile == SMALL_PLATFORM else {}) | sound))


def override_problem(name: str, value: Any) -> str:
    """Why this override cannot be used; empty when it can."""
    known = {key: (kind, about) for key, kind, _, about in parameters()}
    if name not in known:
        return f"there is no parameter {name!r}"
    kind, about = known[name]
    numeric = kind in (int, float) and isinstance(value, (int, float)) and not isinstance(value, bool)
    if not (isinstance(value, kind) and (kind is bool) == isinstance(value, bool)) and not (kind is float and numeric):
        return f"{name} must be of type {kind.__name__}"
    if numeric and about.low is not None and not about.low <= value <= about.high:
        return f"{name} must be between {about.low} and {about.high}"
    return ""


def weight_problems(weights: Any) -> list[str]:
    """What is wrong with a set of weights; empty when nothing is."""
    if not isinstance(weights, dict):
        return ["weights must be an object of head names and numbers"]
    signs = {weight.head: weight.sign for weight in WEIGHTS}
    found = [f"there is no head {head!r}" for head in weights if head not in signs]
    for head, value in weights.items():
        if not isinstance(value, (int, float)) or isinstance(value, bool) or abs(value) > MAX_WEIGHT:
            found.append(f"{head} must be a number of at most {MAX_WEIGHT:g}")
        elif head in signs and value * signs[head] < 0:
            found.append(f"{head} must not be {'negative' if signs[head] > 0 else 'positive'}")
    return found

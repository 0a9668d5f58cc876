"""Every constant of the Home Mixer: typed, with its published default, source and bounds.

Sources: A = default published in August 2026; M = fixed in the May 2026 code; D = ours, because
nothing was published. Live values come from ``FeatureParameter`` rows and the active weight set.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields, replace
from functools import cache
from typing import Any

UPSTREAM, SMALL_PLATFORM = PROFILES = "upstream", "small_platform"
GATED = "gated_dwell_regret"
VALUE_MODES = ("weighted", "dwell_regret_sigmoid", GATED)
ADS_BLENDERS = ("partition_organic_low_risk", "safe_gap")
COLD_START_ARMS = ("holdout", "control", "treatment")
# Which of a post's topics a topic page trusts: the published modes as the least confidence.
TOPIC_MODES = {
    "Unfiltered": 0.0,
    "CuratedV0": 0.0,
    "CuratedV0V1": 0.0,
    "PostBased90Pct": 0.9,
    "PostBased75Pct": 0.75,
    "PostBased50Pct": 0.5,
}
MAX_WEIGHT = 1_000.0


#: Where a default comes from.
SOURCES = {"A": "published August 2026", "M": "published May 2026", "D": "ours"}


@dataclass(frozen=True, slots=True)
class Parameter:
    """What is known about one parameter."""

    upstream: str
    source: str
    low: float | None = None
    high: float | None = None
    small: Any = None  # value in the small_platform profile, where it differs
    because: str = ""  # why ours differs, or why we chose it
    choices: tuple[str, ...] = ()  # the words a text may be

    @property
    def where(self) -> str:
        """Where the default comes from, in words."""
        return SOURCES[self.source]


def param(default: Any, upstream: str, source: str, **about: Any) -> Any:
    """A field of ``Params`` with its pedigree."""
    return field(default=default, metadata={"about": Parameter(upstream, source, **about)})


_CPU = "a small corpus and one CPU"
_MODEL = "the name of a registered model in place of a data centre's cluster; empty is the promoted one"


@dataclass(frozen=True)
class Params:
    """Resolved values of one request."""

    profile: str = param(UPSTREAM, "-", "D", choices=PROFILES, because="which column of sizes this table is read by")

    # --- Sources
    thunder_max_results: int = param(1200, "ThunderMaxResults", "A", low=0, high=10_000, small=400, because=_CPU)
    phoenix_max_results: int = param(1000, "PhoenixMaxResults", "A", low=0, high=5_000, small=600, because=_CPU)
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
    enable_moe: bool = param(False, "EnablePhoenixMOESource", "A")
    moe_max_results: int = param(200, "PhoenixMOEMaxResults", "A", low=0, high=5_000)
    retrieval_model: str = param("", "PhoenixRetrievalInferenceClusterId", "D", because=_MODEL)
    topics_model: str = param("", "PhoenixRetrievalTopicInferenceClusterId", "D", because=_MODEL)
    moe_model: str = param("", "PhoenixMOERetrievalInferenceClusterId", "D", because=_MODEL)
    ranker_model: str = param("", "PhoenixInferenceClusterId", "D", because=_MODEL)
    new_user_retrieval_model: str = param("", "PhoenixRetrievalNewUserInferenceClusterId", "D", because=_MODEL)
    new_user_ranker_model: str = param("", "PhoenixRankerNewUserInferenceClusterId", "D", because=_MODEL)
    new_user_retrieval_history: int = param(0, "PhoenixRetrievalNewUserHistoryThreshold", "A", low=0, high=4_096)
    new_user_ranker_history: int = param(0, "PhoenixRankerNewUserHistoryThreshold", "A", low=0, high=4_096)
    enable_simclusters: bool = param(True, "EnableSimclustersSource", "A")
    simclusters_max_results: int = param(800, "-", "A", low=0, high=5_000, small=100, because=_CPU)
    simclusters_per_seed: int = param(200, "-", "A", low=1, high=1_000)
    simclusters_clusters: int = param(50, "-", "A", low=1, high=1_000)
    simclusters_per_cluster: int = param(800, "-", "A", low=1, high=5_000)
    simclusters_min_score: float = param(0.5, "-", "A", low=0.0, high=1.0)
    simclusters_budget: int = param(10_000, "-", "A", low=1, high=100_000)
    simclusters_cache_s: int = param(600, "-", "A", low=1, high=3_600)
    simclusters_max_age_h: int = param(
        48, "SimclustersMaxCandidateAgeHours", "D", low=1, high=8_760, because="equal to the age filter"
    )
    signals_per_kind: int = param(15, "-", "A", low=1, high=100)
    signal_max_age_days: int = param(90, "-", "A", low=1, high=3_650)
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

    # --- What is known of the viewer
    enable_context_features: bool = param(True, "EnableContextFeatures", "A")
    cache_engagement_counts: bool = param(True, "-", "A", small=False, because="counts are read in one query here")
    viewer_data_ms: int = param(
        200, "-", "M", low=1, high=10_000, small=2_000, because="muted words that are forgotten are worse than a wait"
    )
    enable_ip: bool = param(True, "EnableIpFeature", "A")
    enable_declared_gender: bool = param(True, "EnableInferredGenderHydration", "A")
    enable_inferred_topics: bool = param(True, "EnableGrokTopicsHydration", "D", because="a feature only")
    max_inferred_topics: int = param(
        5, "MaxInferredGrokTopicCategories", "D", low=0, high=32, because="more would say nothing of anybody"
    )
    enable_jaccard: bool = param(False, "EnableMutualFollowJaccardHydration", "A")
    enable_served_history: bool = param(True, "EnableUrtMigrationComponents", "A")
    shadow_percent: float = param(0.3, "ShadowTrafficDefaultPercent", "A", low=0.0, high=100.0)

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
        because="exact, and of any age; the bloom filter is approximate",
    )
    topic_filter_mode: str = param("PostBased50Pct", "TopicFilteringId", "A", choices=tuple(TOPIC_MODES))
    topic_filter_overrides: str = param("", "TopicFilteringIdOverrides", "A")
    new_user_topic_filtering: bool = param(
        False, "EnableNewUserTopicFiltering", "D", because="hard filtering starves a small corpus"
    )
    new_user_topic_age_s: int = param(
        604_800, "NewUserTopicAgeThresholdSecs", "D", low=0, high=31_536_000, because="a typical first week"
    )

    enable_oon_repost_reply_filter: bool = param(True, "-", "A")
    allow_oon_phoenix_replies: bool = param(False, "-", "A")
    strict_muted_keywords: bool = param(True, "-", "A")
    min_engagement_enabled: bool = param(False, "-", "A")
    min_engagement_metric: str = param("favorites", "-", "A", choices=("favorites", "engagement", "views"))
    min_engagement_ratio: bool = param(False, "-", "A")
    min_engagement: float = param(0.0, "-", "A", low=0.0, high=1e9)
    min_engagement_window_s: int = param(1_800, "-", "A", low=0, high=31_536_000)
    resurrection_gap_days: int = param(
        30, "-", "D", low=1, high=3_650, because="unpublished: after a month away a viewer has returned"
    )
    holdout_enabled: bool = param(False, "-", "A")
    holdout_originals_percent: int = param(0, "-", "A", low=0, high=100)
    holdout_replies_percent: int = param(0, "-", "A", low=0, high=100)
    holdout_reposts_percent: int = param(0, "-", "A", low=0, high=100)
    reexposure_enabled: bool = param(False, "-", "A")
    reexposure_max_serves: int = param(2, "-", "A", low=1, high=100)
    reexposure_min_gap: int = param(0, "-", "A", low=0, high=50)
    reexposure_in_network_only: bool = param(True, "-", "A")

    # --- Ranking
    enable_ranking: bool = param(True, "EnableRanking", "A")
    negative_scores_offset: float = param(0.001, "NEGATIVE_SCORES_OFFSET", "A", low=1e-9, high=1.0)
    enable_tuning: bool = param(True, "-", "D", because="people may weigh their own feed")
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
    oon_rescore_in_network: bool = param(True, "-", "A")
    mutual_reply_boost: float = param(15.0, "-", "A", low=0.0, high=MAX_WEIGHT)
    mutual_dwell_boost: float = param(0.0, "-", "A", low=0.0, high=MAX_WEIGHT)
    check_all_followers: bool = param(True, "-", "A")
    unexplored_in_network_only: bool = param(True, "-", "A")
    unexplored_multiplies: bool = param(False, "-", "A")
    unexplored_alpha: float = param(1.0, "-", "D", low=0.0, high=100.0, because="unpublished; used when it multiplies")
    click_dwell_penalty: bool = param(False, "-", "A")
    click_dwell_baseline: float = param(0.01, "-", "A", low=0.0, high=1.0)
    mpn_scoring: bool = param(False, "-", "A")
    value_mode: str = param("weighted", "-", "A", choices=VALUE_MODES)
    enable_cold_start: bool = param(True, "EnableViewerColdStart", "A")
    cold_start_arm: str = param("holdout", "-", "A", choices=COLD_START_ARMS)
    cold_start_slot_min: int = param(15, "-", "A", low=0, high=1_000)
    cold_start_slot_max: int = param(16, "-", "A", low=0, high=1_000)
    cold_start_max_followers: int = param(1_000, "-", "A", low=0, high=1_000_000_000)
    cold_start_max_views: int = param(1_000, "-", "A", low=0, high=1_000_000_000)
    cold_start_share: float = param(0.85, "-", "A", low=0.0, high=1.0)
    cold_start_max_age_s: int = param(86_400, "-", "A", low=0, high=31_536_000)
    cold_start_thompson: bool = param(False, "-", "A")
    cold_start_draws: int = param(5, "-", "A", low=0, high=100)
    cold_start_prior_likes: float = param(0.75, "-", "A", low=0.0, high=1e6)
    cold_start_prior_rest: float = param(49.25, "-", "A", low=0.0, high=1e6)
    enable_vm_ranker: bool = param(True, "EnableVMRanker", "A")
    dpp_theta: float = param(0.65, "-", "A", low=0.0, high=1.0)
    dpp_max_rank: int = param(150, "-", "A", low=0, high=1_000)
    dpp_top_k: int = param(50, "-", "A", low=1, high=1_000)
    cross_request_diversity: bool = param(False, "-", "A")
    cross_request_window_s: int = param(300, "-", "A", low=1, high=3_600)
    cross_request_half_life_s: int = param(60, "-", "A", low=1, high=3_600)
    cross_request_weight: float = param(0.25, "-", "A", low=1e-9, high=1.0)
    cross_request_max_count: float = param(5.0, "-", "A", low=0.0, high=2_000.0)
    cross_request_max_items: int = param(200, "-", "A", low=1, high=2_000)

    # --- Selection
    top_k: int = param(50, "TOP_K_CANDIDATES_TO_SELECT", "A", low=1, high=1_000)
    result_size: int = param(35, "RESULT_SIZE", "A", low=1, high=500)
    page_size: int = param(
        39, "FOR_YOU_MAX_RESULT_SIZE", "D", low=1, high=500, because="35 posts and 4 modules; frames are not built"
    )
    ranked_following_size: int = param(38, "RANKED_FOLLOWING_MAX_RESULT_SIZE", "A", low=1, high=500)
    who_to_follow_position: int = param(6, "WHO_TO_FOLLOW_POSITION", "A", low=1, high=100)
    who_to_follow_fatigue_h: int = param(30, "WhoToFollowFatigueHours", "A", low=0, high=8_760)
    ads_blender: str = param("partition_organic_low_risk", "AdsBlenderType", "A", choices=ADS_BLENDERS)
    ads_limit: int = param(12, "-", "D", low=0, high=50, because="one and a half times what a page can take")

    slate_diversity: bool = param(False, "-", "A")
    slate_author_window: int = param(20, "-", "A", low=0, high=1_000)
    slate_max_per_author: int = param(2, "-", "A", low=1, high=1_000)
    slate_semantic: bool = param(True, "-", "A")
    slate_lookahead: int = param(10, "-", "A", low=1, high=1_000)

    # --- Faces, labels and optional slots
    enable_facepile: bool = param(False, "EnableFollowingRepliedUsersFacepile", "A")
    facepile_min_users: int = param(0, "-", "A", low=-1_000, high=1_000)
    facepile_max_posts: int = param(0, "-", "A", low=-1_000, high=1_000)

    # --- Logs
    reranking_log_share: float = param(0.05, "-", "M", low=0.0, high=1.0)
    stats_share: float = param(0.05, "-", "M", low=0.0, high=1.0)
    enable_request_cache: bool = param(True, "EnablePhoenixRequestCache", "A")
    request_cache_ttl_s: int = param(10_800, "PhoenixRequestCacheTtl", "A", low=1, high=604_800)
    enable_ads_log: bool = param(True, "EnableAdsInjectionLogging", "A")
    enable_publish_seen: bool = param(True, "EnablePublishSeenIdsToKafka", "A")

    # --- Negative signals of many
    enable_standing: bool = param(True, "-", "D", because="what many turn away from is recommended less")
    standing_floor: float = param(0.25, "-", "D", low=0.0, high=1.0, because="noes alone never silence an author")
    standing_tolerance: float = param(
        0.005,
        "-",
        "D",
        low=0.0,
        high=1.0,
        because="everybody is blocked by somebody; noes per person who met the author",
    )
    standing_half_rate: float = param(
        0.05, "-", "D", low=0.001, high=10.0, because="one in twenty objecting takes half of what can be taken"
    )
    standing_prior: int = param(200, "-", "D", low=1, high=1_000_000, because="a few noes to a small author say little")
    block_half_life_d: float = param(90.0, "-", "D", low=0.1, high=3_650.0, because="a considered, lasting no")
    mute_half_life_d: float = param(30.0, "-", "D", low=0.1, high=3_650.0, because="often a passing mood")
    report_half_life_d: float = param(60.0, "-", "D", low=0.1, high=3_650.0, because="between a mute and a block")
    not_interested_half_life_d: float = param(
        14.0, "-", "D", low=0.1, high=3_650.0, because="about a post, not a person"
    )

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
    # Added upstream between May and August 2026.
    Weight("video_open", 0.05, 1),
    Weight("open_link", 0.2, 1),
    Weight("post_unexplored", 0.02, 1),
    Weight("active_secs_5m_residual_norm", 0.0, 1, continuous=True),
)
LATER_HEADS = ("video_open", "open_link", "post_unexplored", "active_secs_5m_residual_norm")
HEADS: tuple[str, ...] = tuple(weight.head for weight in WEIGHTS)
PUBLISHED_WEIGHTS: Mapping[str, float] = {weight.head: weight.default for weight in WEIGHTS}


def parameters() -> Iterator[tuple[str, type, Any, Parameter]]:
    """Name, type, published default and pedigree of each parameter, in order."""
    for each in fields(Params):
        yield each.name, type(each.default), each.default, each.metadata["about"]


def resolve(profile: str, overrides: Mapping[str, Any]) -> Params:
    """Defaults of the profile, then the live overrides that are well-formed."""
    sound = {name: value for name, value in overrides.items() if not override_problem(name, value)}
    chosen = sound.pop("profile", profile)
    return replace(_of_profile(chosen), **sound) if sound else _of_profile(chosen)


@cache
def _of_profile(profile: str) -> Params:
    """The sizes of a profile without overrides."""
    sizes = {name: about.small for name, _, _, about in parameters() if about.small is not None}
    return Params(profile=profile, **(sizes if profile == SMALL_PLATFORM else {}))


@cache
def _known() -> dict[str, tuple[type, Parameter]]:
    return {name: (kind, about) for name, kind, _, about in parameters()}


def override_problem(name: str, value: Any) -> str:
    """Why this override cannot be used; empty when it can."""
    if name not in _known():
        return f"there is no parameter {name!r}"
    kind, about = _known()[name]
    numeric = kind in (int, float) and isinstance(value, (int, float)) and not isinstance(value, bool)
    if not (isinstance(value, kind) and (kind is bool) == isinstance(value, bool)) and not (kind is float and numeric):
        return f"{name} must be of type {kind.__name__}"
    if about.choices and value not in about.choices:
        return f"{name} must be one of {', '.join(about.choices)}"
    if numeric and not math.isfinite(value):
        return f"{name} must be a finite number"
    if numeric and about.low is not None and not about.low <= value <= about.high:
        return f"{name} must be between {about.low} and {about.high}"
    return ""


def model_kind(name: str) -> str:
    """Which kind of model a parameter names: "ranker", "retrieval", or none."""
    if not name.endswith("_model"):
        return ""
    return "ranker" if "ranker" in name else "retrieval"


def weight_problems(weights: Any) -> list[str]:
    """What is wrong with a set of weights; empty when nothing is."""
    if not isinstance(weights, dict):
        return ["weights must be an object of head names and numbers"]
    signs = {weight.head: weight.sign for weight in WEIGHTS}
    found = [f"there is no head {head!r}" for head in weights if head not in signs]
    for head, value in weights.items():
        if not isinstance(value, (int, float)) or isinstance(value, bool) or not abs(value) <= MAX_WEIGHT:
            found.append(f"{head} must be a number of at most {MAX_WEIGHT:g}")
        elif head in signs and value * signs[head] < 0:
            found.append(f"{head} must not be {'negative' if signs[head] > 0 else 'positive'}")
    return found

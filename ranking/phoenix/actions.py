"""The heads of Phoenix by name. Every consumer addresses an action by name, never by number.

Two published orders disagree almost everywhere: checkpoints without `action_names` use the proto
enumeration (order P, of which six entries are known); models trained here use the score order
(order S), which is also the order of the product's engagement kinds, and say so in their config.
"""

from __future__ import annotations

from collections.abc import Sequence

from ranking.phoenix.config import PhoenixConfig

# Order S (its last entry, a discrete twin of the continuous dwell time, is left out), then heads added
# later upstream. The place of a head is no contract: names are.
DISCRETE_HEADS = (
    "favorite",
    "reply",
    "repost",
    "photo_expand",
    "click",
    "profile_click",
    "vqv",
    "share",
    "share_via_dm",
    "share_via_copy_link",
    "dwell",
    "quote",
    "quoted_click",
    "follow_author",
    "not_interested",
    "block_author",
    "mute_author",
    "report",
    "not_dwelled",
    "quoted_vqv",
    "video_open",
    "open_link",
    "post_unexplored",
)
# Column 1 is dwell, as published; the position of ours is free.
CONTINUOUS_HEADS = ("reserved_0", "dwell_time", "click_dwell_time", "active_secs_5m_residual_norm")
NEGATIVE_FEEDBACK = ("not_interested", "block_author", "mute_author", "report")
CONTINUOUS_SCALE_SECONDS = 30.0
# Value = slope * output + shift, for heads that are not seconds: this one lies in -1..1.
CONTINUOUS_UNITS = {"active_secs_5m_residual_norm": (2.0, -1.0)}

PRODUCT_SURFACES = (
    "unspecified",
    "home_for_you",
    "home_following",
    "profile",
    "post_detail",
    "search",
    "notifications",
    "gallery",
    "tag",
    "bookmarks",
    "api",
)

ORDER_P_KNOWN = {
    1: "favorite",
    4: "reply",
    5: "quote",
    6: "repost",
    11: "dwell",
    13: "vqv",
}

# The weights of the published pipeline script, in order P.
PIPELINE_WEIGHTS = {"favorite": 1.0, "reply": 0.5, "repost": 0.3, "dwell": 0.2}


def action_names(config: PhoenixConfig) -> tuple[str, ...]:
    """Names of the discrete heads in model order; unpublished ones are called `action_{i}`."""
    if config.action_names:
        return config.action_names
    return tuple(ORDER_P_KNOWN.get(i, f"action_{i}") for i in range(config.num_actions))


def continuous_names(config: PhoenixConfig) -> tuple[str, ...]:
    """Names of the continuous heads in model order."""
    if config.continuous_names:
        return config.continuous_names
    known = ("reserved_0", "dwell_time", "video_watch_time", "scroll_depth")
    return tuple(known[i] if i < len(known) else f"reserved_{i}" for i in range(config.num_continuous))


def continuous_units(names: Sequence[str]) -> tuple[list[float], list[float]]:
    """Slope and shift from a continuous head's output in 0..1 to its value: seconds, unless it says otherwise."""
    units = [CONTINUOUS_UNITS.get(name, (CONTINUOUS_SCALE_SECONDS, 0.0)) for name in names]
    return [slope for slope, _ in units], [shift for _, shift in units]


def surface_index(config: PhoenixConfig, name: str) -> int:
    """Row of the surface table for a named product surface; 0 (unspecified) when it is unknown."""
    names = config.surface_names
    return names.index(name) if name in names else 0

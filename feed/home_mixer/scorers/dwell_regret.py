"""Another value model: time spent, raised by what is unusual for the pool, cut by predicted regret.

Published in August 2026 as "dwell_regret_sigmoid", and "gated_dwell_regret" for viewers whose
history says that it suits them. Off by default.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from feed.home_mixer.params import HEADS
from posts.types import EngagementKind
from ranking.types import ActionSequence

ALPHA = 1.0
TAU = 10.0
REGRETS = {"not_interested": 10_000.0, "block_author": 8_000.0, "mute_author": 15_000.0, "report": 60_000.0}
POSITIVE = ("favorite", "reply", "repost", "quote", "share", "share_via_dm", "share_via_copy_link")

DAY_MS = 86_400_000
HISTORY_DAYS = 28
GATE_BIAS, GATE_THRESHOLD = 1.033918, -0.634264
GATE_WEIGHTS: Mapping[str, float] = {
    "seq_len": 0.530298,
    "n_fav": -0.082139,
    "n_reply": 0.485541,
    "n_rt_quote": 0.056561,
    "n_vqv": -0.072778,
    "n_click": -0.176675,
    "n_bm_share": -0.167574,
    "n_profile_follow": -0.221285,
    "n_photo": -0.106004,
    "n_negfb": 0.031839,
    "n_7d": -0.075799,
    "n_1d": -0.241730,
    "active_days": 0.047017,
    "active_days_7d": -0.126896,
    "days_since_last": -0.034238,
    "span_days": -0.052186,
    "followers": -0.066642,
    "followings": 0.064140,
    "account_age_years": -0.045455,
}
_LOGARITHMIC = (*list(GATE_WEIGHTS)[:12], "followers", "followings")
_KINDS = {
    "n_fav": (EngagementKind.FAVORITE,),
    "n_reply": (EngagementKind.REPLY,),
    "n_rt_quote": (EngagementKind.REPOST, EngagementKind.QUOTE),
    "n_vqv": (EngagementKind.VIDEO_QUALITY_VIEW,),
    "n_click": (EngagementKind.CLICK,),
    "n_bm_share": (
        EngagementKind.BOOKMARK,
        EngagementKind.SHARE,
        EngagementKind.SHARE_VIA_DM,
        EngagementKind.SHARE_VIA_COPY_LINK,
    ),
    "n_profile_follow": (EngagementKind.PROFILE_CLICK, EngagementKind.FOLLOW_AUTHOR),
    "n_photo": (EngagementKind.PHOTO_EXPAND,),
    "n_negfb": (
        EngagementKind.NOT_INTERESTED,
        EngagementKind.BLOCK_AUTHOR,
        EngagementKind.MUTE_AUTHOR,
        EngagementKind.REPORT,
    ),
}


def scores(heads: np.ndarray) -> np.ndarray:
    """max(seconds, 1) * 2 sigmoid(positive / tau) * exp(min(negative, 0) / tau), over the whole pool."""
    column = {head: np.nan_to_num(heads[:, place], nan=0.0) for place, head in enumerate(HEADS)}
    positive = sum((ALPHA * _relative(column[head]) for head in POSITIVE), start=np.zeros(len(heads)))
    negative = -sum((cost * column[head] for head, cost in REGRETS.items()), start=np.zeros(len(heads)))
    tau = max(TAU, 1e-6)
    seconds = np.maximum(column["dwell_time"], 1.0)
    return seconds * 2.0 / (1.0 + np.exp(-positive / tau)) * np.exp(np.minimum(negative, 0.0) / tau)


def _relative(chance: np.ndarray) -> np.ndarray:
    """How far above the pool's mean, in means; 0 where the mean is nothing."""
    mean = chance.mean() if len(chance) else 0.0
    return chance / mean - 1.0 if mean >= 1e-9 else np.zeros(len(chance))


def gate_features(
    sequence: ActionSequence, *, now_ms: int, followers: int, followings: int, account_age_s: float
) -> dict[str, float]:
    """The nineteen numbers of a viewer, from the last 28 days of their sequence."""
    recent = sequence.first_ms >= now_ms - HISTORY_DAYS * DAY_MS
    at_ms, bits = sequence.first_ms[recent], sequence.action_bits[recent]
    days_ago = (now_ms - at_ms) // DAY_MS
    counts = {name: int(((bits & sum(1 << kind for kind in kinds)) != 0).sum()) for name, kinds in _KINDS.items()}
    return {
        "seq_len": len(at_ms),
        **counts,
        "n_7d": int((days_ago < 7).sum()),
        "n_1d": int((days_ago < 1).sum()),
        "active_days": len(np.unique(days_ago)),
        "active_days_7d": len(np.unique(days_ago[days_ago < 7])),
        "days_since_last": (now_ms - int(at_ms.max())) / DAY_MS if len(at_ms) else HISTORY_DAYS,
        "span_days": float(np.ptp(at_ms)) / DAY_MS if len(at_ms) else 0.0,
        "followers": min(followers, 10_000_000),
        "followings": min(followings, 1_000_000),
        "account_age_years": min(account_age_s / (365.25 * 86_400), 25.0),
    }


def gate_opens(features: Mapping[str, float], weights: Mapping[str, float] = GATE_WEIGHTS) -> bool:
    """Whether this viewer gets the other value model; never when a weight is missing."""
    if set(GATE_WEIGHTS) - set(weights):
        return False
    total = GATE_BIAS
    for name in GATE_WEIGHTS:
        value = np.log1p(features[name]) if name in _LOGARITHMIC else features[name]
        total += weights[name] * float(value)
    return total - GATE_THRESHOLD > 0

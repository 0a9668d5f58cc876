"""Safety screen of open root posts: flags, and what advertisers are told."""

from moderation.grox import sinks
from moderation.grox.engine import Plan
from moderation.grox.payload import Eligibility
from moderation.grox.tasks import classify, filters, media
from moderation.grox.tasks.rate_limit import RateLimit


def plan() -> Plan:
    """filter -> rate limit -> media -> safety screen -> write flags and suitability"""
    limit = RateLimit("post_safety")
    return Plan(
        "post_safety",
        Eligibility.POST_SAFETY,
        {
            "filter": filters.PostSafetyFilter(),
            "rate_limit": limit,
            "media": media.HydrateMedia(),
            "screen": classify.SafetyScreen(),
            "write": sinks.WriteSafety(),
        },
        {"rate_limit": ("filter",), "media": ("rate_limit",), "screen": ("media",), "write": ("screen",)},
        on_failure=limit.release,
    )

"""Policy screen of every post: violations, labels, review mark."""

from moderation.grox import sinks
from moderation.grox.engine import Plan
from moderation.grox.payload import Eligibility
from moderation.grox.tasks import classify, filters, media
from moderation.grox.tasks.rate_limit import RateLimit


def plan() -> Plan:
    """filter -> rate limit -> media -> policy screen -> write safety result"""
    limit = RateLimit("safety_ptos")
    return Plan(
        "safety_ptos",
        Eligibility.SAFETY_PTOS,
        {
            "filter": filters.PtosFilter(),
            "rate_limit": limit,
            "media": media.HydrateMedia(),
            "screen": classify.PolicyScreen(),
            "write": sinks.WritePolicy(),
        },
        {"rate_limit": ("filter",), "media": ("rate_limit",), "screen": ("media",), "write": ("screen",)},
        on_failure=limit.release,
    )

"""Policy screen of every post: violations, labels, review mark."""

from moderation.grox import sinks
from moderation.grox.engine import Plan
from moderation.grox.payload import Eligibility
from moderation.grox.tasks import classify, filters
from moderation.grox.tasks.rate_limit import RateLimit


def plan() -> Plan:
    """filter -> rate limit -> policy screen -> write safety result"""
    limit = RateLimit("safety_ptos")
    return Plan(
        "safety_ptos",
        Eligibility.SAFETY_PTOS,
        {
            "filter": filters.PtosFilter(),
            "rate_limit": limit,
            "screen": classify.PolicyScreen(),
            "write": sinks.WritePolicy(),
        },
        {"rate_limit": ("filter",), "screen": ("rate_limit",), "write": ("screen",)},
        on_failure=limit.release,
    )

"""Topics of open root posts."""

from moderation.grox import sinks
from moderation.grox.engine import Plan
from moderation.grox.payload import Eligibility
from moderation.grox.tasks import classify, filters
from moderation.grox.tasks.rate_limit import RateLimit


def plan() -> Plan:
    """filter -> rate limit -> topic screen -> write topics"""
    limit = RateLimit("topics")
    return Plan(
        "topics",
        Eligibility.BANGER_INITIAL_SCREEN,
        {
            "filter": filters.BangerFilter(),
            "rate_limit": limit,
            "screen": classify.TopicScreen(),
            "write": sinks.WriteTopics(),
        },
        {"rate_limit": ("filter",), "screen": ("rate_limit",), "write": ("screen",)},
        on_failure=limit.release,
    )

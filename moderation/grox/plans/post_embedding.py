"""Content embedding of every post with text."""

from moderation.grox import sinks
from moderation.grox.engine import Plan
from moderation.grox.payload import Eligibility
from moderation.grox.tasks import filters
from moderation.grox.tasks.rate_limit import RateLimit


def plan() -> Plan:
    """rate limit -> has text -> { store vector ; store language }"""
    limit = RateLimit("post_embedding")
    return Plan(
        "post_embedding",
        Eligibility.MM_EMB_V5,
        {
            "rate_limit": limit,
            "filter": filters.HasText(),
            "store_vector": sinks.StoreVector(),
            "store_language": sinks.StoreLanguage(),
        },
        {"filter": ("rate_limit",), "store_vector": ("filter",), "store_language": ("filter",)},
        on_failure=limit.release,
    )

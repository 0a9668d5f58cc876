"""Quality and topics of open root posts."""

from moderation.grox import sinks
from moderation.grox.engine import Plan
from moderation.grox.payload import Eligibility
from moderation.grox.tasks import classify, filters, media
from moderation.grox.tasks.rate_limit import RateLimit


def plan() -> Plan:
    """filter -> rate limit -> media -> quality screen -> { mark good posts ; write topics }"""
    limit = RateLimit("initial_banger")
    return Plan(
        "initial_banger",
        Eligibility.BANGER_INITIAL_SCREEN,
        {
            "filter": filters.BangerFilter(),
            "rate_limit": limit,
            "media": media.HydrateMedia(),
            "screen": classify.QualityScreen(),
            "mark": sinks.MarkQuality(),
            "write_topics": sinks.WriteTopics(),
        },
        {
            "rate_limit": ("filter",),
            "media": ("rate_limit",),
            "screen": ("media",),
            "mark": ("screen",),
            "write_topics": ("screen",),
        },
        on_failure=limit.release,
    )

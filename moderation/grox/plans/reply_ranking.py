"""How good replies to large accounts are."""

from moderation.grox import sinks
from moderation.grox.engine import Plan
from moderation.grox.payload import Eligibility
from moderation.grox.tasks import classify, filters, media
from moderation.grox.tasks.rate_limit import RateLimit


def plan() -> Plan:
    """filter -> rate limit -> media -> rank reply -> write reply ranking"""
    limit = RateLimit("reply_ranking")
    return Plan(
        "reply_ranking",
        Eligibility.REPLY_RANKING,
        {
            "filter": filters.ReplyRankingFilter(),
            "rate_limit": limit,
            "media": media.HydrateMedia(),
            "rank": classify.ReplyRanking(),
            "write": sinks.WriteReplyRanking(),
        },
        {"rate_limit": ("filter",), "media": ("rate_limit",), "rank": ("media",), "write": ("rank",)},
        on_failure=limit.release,
    )

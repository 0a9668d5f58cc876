"""Spam among replies to other people."""

from moderation.grox import sinks
from moderation.grox.engine import Plan
from moderation.grox.payload import Eligibility
from moderation.grox.tasks import classify, filters, media
from moderation.grox.tasks.rate_limit import RateLimit


def plan() -> Plan:
    """filter -> rate limit -> media -> spam detection -> write reply spam"""
    limit = RateLimit("spam_comment")
    return Plan(
        "spam_comment",
        Eligibility.SPAM_COMMENT,
        {
            "filter": filters.SpamCommentFilter(),
            "rate_limit": limit,
            "media": media.HydrateMedia(),
            "detect": classify.SpamDetection(),
            "write": sinks.WriteReplySpam(),
        },
        {"rate_limit": ("filter",), "media": ("rate_limit",), "detect": ("media",), "write": ("detect",)},
        on_failure=limit.release,
    )

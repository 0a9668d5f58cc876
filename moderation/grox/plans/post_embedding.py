"""Content embeddings: of a post's own words (v5), and of its summary (v3); each for posts and for replies.

The published graphs. A reply's vector is stored by the plan of all posts as well, but announced only by its own.
"""

from itertools import pairwise

from moderation.grox import sinks
from moderation.grox.embedders import minilm, summaries
from moderation.grox.engine import Plan, Task
from moderation.grox.payload import Eligibility
from moderation.grox.tasks import embed, filters, media
from moderation.grox.tasks.rate_limit import RateLimit


def plans() -> tuple[Plan, ...]:
    """The four of them."""
    return (
        _plan("post_embedding_v5", Eligibility.MM_EMB_V5, _v5(sinks.StoreVector(minilm.VERSION))),
        _plan(
            "post_embedding_v5_for_reply",
            Eligibility.MM_EMB_V5_FOR_REPLY,
            {
                "filter": filters.ReplyEmbeddingFilter(),
                **_v5(sinks.StoreVector(minilm.VERSION, announces_replies=True)),
            },
        ),
        _plan(
            "post_embedding_with_summary",
            Eligibility.POST_EMBEDDING_WITH_SUMMARY,
            {"filter": filters.EmbeddingFilter(), **_v3()},
        ),
        _plan(
            "post_embedding_with_summary_for_reply",
            Eligibility.POST_EMBEDDING_WITH_SUMMARY_FOR_REPLY,
            {"filter": filters.ReplyEmbeddingFilter(), **_v3()},
        ),
    )


def _v5(sink: Task) -> dict[str, Task]:
    return {
        "media": media.HydrateMedia(),
        "asr": media.Transcribe(),
        "embed": embed.EmbedContent(),
        "store": sink,
    }


def _v3() -> dict[str, Task]:
    return {
        "media": media.HydrateMedia(),
        "summarise": embed.Summarise(),
        "embed": embed.EmbedSummary(),
        "store": sinks.StoreSummaryVector(summaries.EMBEDDING, announces_replies=True),
    }


def _plan(name: str, eligibility: Eligibility, tasks: dict[str, Task]) -> Plan:
    """One after the other, behind the rate limit: here it comes before the filter."""
    limit = RateLimit(name)
    chain = {"rate_limit": limit, **tasks}
    depends_on = {after: (before,) for before, after in pairwise(chain)}
    return Plan(name, eligibility, chain, depends_on, on_failure=limit.release)

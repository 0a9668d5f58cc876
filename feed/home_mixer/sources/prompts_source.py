"""Notices for the top of the page."""

from feed.candidate_pipeline import Batch, Source
from feed.home_mixer import feed_item
from feed.home_mixer.query import ScoredPostsQuery
from feed.models import Prompt
from xsocial.kernel import clock, sql

# Active and inside their dates.
_CURRENT = f"""
SELECT {sql.columns(Prompt, "p")} FROM feed_prompt p
 WHERE is_active AND (starts_at IS NULL OR starts_at <= %(now)s) AND (ends_at IS NULL OR ends_at > %(now)s)
   AND (NOT staff_only OR %(is_staff)s)
 ORDER BY position, id
"""


class PromptsSource(Source):
    """Current prompts for this viewer's role, in their order."""

    writes = ("kind", "item")

    def enabled(self, query: ScoredPostsQuery) -> bool:
        """Only on a first page."""
        return query.params.enable_prompts and not query.has_cursor

    def fetch(self, query: ScoredPostsQuery) -> Batch:
        """One query."""
        found = sql.rows(_CURRENT, {"now": clock.now(), "is_staff": query.viewer.is_staff})
        return feed_item.items(feed_item.PROMPT, [sql.made(Prompt, row) for row in found])

"""Notices for the top of the page."""

from feed.candidate_pipeline import Batch, Source
from feed.home_mixer import feed_item
from feed.home_mixer.query import ScoredPostsQuery
from feed.models import Prompt


class PromptsSource(Source):
    """Current prompts for this viewer's role, in their order."""

    writes = ("kind", "item")

    def enabled(self, query: ScoredPostsQuery) -> bool:
        """Only on a first page."""
        return query.params.enable_prompts and not query.has_cursor

    def fetch(self, query: ScoredPostsQuery) -> Batch:
        """One query."""
        prompts = Prompt.objects.current()
        if not query.viewer.is_staff:
            prompts = prompts.filter(staff_only=False)
        return feed_item.items(feed_item.PROMPT, list(prompts))

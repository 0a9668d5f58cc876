"""How full the page was."""

from collections import Counter

from feed.candidate_pipeline import Result, SideEffect
from xsocial.kernel import metrics

SUFFICIENT_ADS, SUFFICIENT_POSTS = 5, 20


class ForYouResponseStatsSideEffect(SideEffect):
    """Counts items by kind, and pages that were empty or full enough."""

    def run(self, result: Result) -> None:
        """Metrics only."""
        kinds = Counter(result.selected["kind"])
        served = metrics.counter("feed_served_items", "Items served by kind", ("kind",))
        for kind, count in kinds.items():
            served.labels(kind).inc(count)
        pages = metrics.counter("feed_pages", "Pages by how full they were", ("what",))
        facts = {
            "all": True,
            "empty_posts": not kinds["post"],
            "empty_ads": not kinds["ad"],
            "sufficient_posts": kinds["post"] >= SUFFICIENT_POSTS,
            "sufficient_ads": kinds["ad"] >= SUFFICIENT_ADS,
        }
        for what, holds in facts.items():
            if holds:
                pages.labels(what).inc()

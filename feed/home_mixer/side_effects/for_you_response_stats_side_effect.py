"""How full the page was."""

from collections import Counter

from feed.candidate_pipeline import Result, SideEffect
from xsocial.kernel import metrics

SUFFICIENT_ADS, SUFFICIENT_POSTS = 5, 20


class ForYouResponseStatsSideEffect(SideEffect):
    """Counts items by kind, and pages that were empty or full enough."""

    def run(self, result: Result) -> None:
        """Metrics only."""
        shown = Counter(result.selected["kind"])
        fetched = shown + Counter(result.non_selected["kind"])
        blender, country = result.query.params.ads_blender, result.query.country_code or "unknown"
        served = metrics.counter("feed_served_items", "Items served", ("kind", "blender", "country"))
        for kind, count in shown.items():
            served.labels(kind, blender, country).inc(count)
        pages = metrics.counter("feed_pages", "Pages by how full they were, and could have been", ("of", "what"))
        for of, kinds in (("response", shown), ("fetched", fetched)):
            for what in facts(kinds):
                pages.labels(of, what).inc()


def facts(kinds: Counter[str]) -> list[str]:
    """What holds for a page with these items."""
    found = {
        "all": True,
        "empty_posts": not kinds["post"],
        "empty_ads": not kinds["ad"],
        "sufficient_posts": kinds["post"] >= SUFFICIENT_POSTS,
        "sufficient_ads": kinds["ad"] >= SUFFICIENT_ADS,
    }
    return [what for what, holds in found.items() if holds]

"""The page as it was served, ads in their places: what brand safety and pacing are audited by."""

from feed.candidate_pipeline import Result, SideEffect
from feed.home_mixer import feed_item, records
from feed.home_mixer.query import ScoredPostsQuery


class AdsInjectionLoggingSideEffect(SideEffect):
    """One record per page that had posts or ads to place."""

    def enabled(self, query: ScoredPostsQuery) -> bool:
        """By parameter; previews leave no trace."""
        return query.params.enable_ads_log and not query.is_preview

    def run(self, result: Result) -> None:
        """One record."""
        query = result.query
        kinds, items = result.selected["kind"].tolist(), result.selected["item"].tolist()
        fetched = kinds + result.non_selected["kind"].tolist()
        if not fetched:
            return
        record = {
            "viewer_id": query.user_id,
            "request_id": query.request_id,
            "at_ms": query.now_ms,
            "blender": query.params.ads_blender,
            "fetched_ads": fetched.count(feed_item.AD),
            "served_ads": kinds.count(feed_item.AD),
            "fetched_posts": fetched.count(feed_item.POST),
            "served_posts": kinds.count(feed_item.POST),
            "timeline": [
                _entry(place, kind, item) for place, (kind, item) in enumerate(zip(kinds, items, strict=True))
            ],
        }
        records.append(records.ADS, [record])


def _entry(place: int, kind: str, item: object) -> dict:
    entry = {"position": place, "kind": kind}
    if kind == feed_item.POST:
        verdict = item.verdict.name.lower() if item.verdict is not None else "medium_risk"
        return {**entry, "post_id": item.id, "author_id": item.author_id, "verdict": verdict}
    if kind == feed_item.AD:
        about = {"ad_id": item.id, "campaign_id": item.campaign_id, "impression_id": item.impression_id}
        return {**entry, **about, "author_id": item.author_id, "wanted_position": item.insert_position}
    return entry

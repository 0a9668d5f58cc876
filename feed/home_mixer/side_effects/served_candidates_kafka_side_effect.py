"""What was served, one record per item, for shadow traffic. Upstream's goes to Kafka."""

from typing import Any

from feed.candidate_pipeline import Result, SideEffect
from feed.home_mixer import feed_item, records
from feed.home_mixer.query import ScoredPostsQuery

PROVENANCE = {
    "foreground": "foreground",
    "launch": "launch",
    "pull_to_refresh": "pull_to_refresh",
    "viewport_aware_refresh": "viewport",
}


class ServedCandidatesKafkaSideEffect(SideEffect):
    """The request and the item: place, name, kind, score, author or advertiser."""

    def enabled(self, query: ScoredPostsQuery) -> bool:
        """Shadow traffic, where served history is kept at all."""
        return query.is_shadow_traffic and query.params.enable_served_history and not query.is_preview

    def run(self, result: Result) -> None:
        """A record per item."""
        about = request_info(result.query)
        kinds, items = result.selected["kind"].tolist(), result.selected["item"].tolist()
        pairs = enumerate(zip(kinds, items, strict=True))
        records.append(records.SERVED, [{**about, **entry(place, kind, item)} for place, (kind, item) in pairs])


def request_info(query: ScoredPostsQuery) -> dict[str, Any]:
    """The request as the log has it."""
    return {
        "at_ms": query.now_ms,
        "trace": query.request_id,
        "viewer_id": query.user_id,
        "app": query.platform,
        "query_type": query.query_type,
        "provenance": PROVENANCE.get(query.request_context, "other"),
        "language": query.language_code,
        "country": query.country_code,
    }


def entry(place: int, kind: str, item: Any) -> dict[str, Any]:
    """One item as the log has it."""
    shared = {"position": place, "kind": kind}
    if kind == feed_item.POST:
        named = {"entry_id": f"tweet-{item.id}", "id": item.id, "author_id": item.author_id, "score": item.score}
        return {**shared, **named, "served_type": item.source}
    if kind == feed_item.AD:
        named = {"entry_id": f"promotedTweet-{item.id}", "id": item.id, "author_id": item.author_id}
        return {**shared, **named, "advertiser": item.advertiser_name}
    if kind == feed_item.WHO_TO_FOLLOW:
        return {**shared, "entry_id": "who-to-follow", "user_ids": list(item.user_ids)}
    if kind == feed_item.PUSH_TO_HOME:
        return {**shared, "entry_id": f"tweet-{item.post_id}", "id": item.post_id, "author_id": item.author_id}
    return {**shared, "entry_id": "prompt"}

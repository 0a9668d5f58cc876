"""Counters in the client's words: what was served, of which kind, to which kind of request."""

from collections import Counter
from collections.abc import Iterator

from feed.candidate_pipeline import Result, SideEffect
from feed.home_mixer import feed_item
from feed.home_mixer.candidate_hydrators.tweet_type_metrics_candidate_hydrator import BIT_NAMES, unpack
from feed.home_mixer.query import ScoredPostsQuery
from xsocial.kernel import metrics

SIZES = (5, 10, 35)
CONTEXTS = {
    "pull_to_refresh": "pull_to_refresh",
    "launch": "request_context_launch",
    "foreground": "request_context_foreground",
}
QUERY_TYPES = {"older": "get_older", "newer": "get_newer", "initial": "get_initial"}


class ClientEventsKafkaSideEffect(SideEffect):
    """``client:home:home:component:element:action``; nothing is sent for a count of zero."""

    def enabled(self, query: ScoredPostsQuery) -> bool:
        """Where served history is kept; previews leave no trace."""
        return query.params.enable_served_history and not query.is_preview

    def run(self, result: Result) -> None:
        """Metrics only."""
        sent = metrics.counter("feed_client_events", "Events as clients name them", ("event",))
        for event, value in events(result).items():
            if value > 0:
                sent.labels(f"client:home:home:{event}").inc(value)


def events(result: Result) -> Counter[str]:
    """Event -> count, the zeros included."""
    kinds, items = result.selected["kind"].tolist(), result.selected["item"].tolist()
    posts = [item for kind, item in zip(kinds, items, strict=True) if kind == feed_item.POST]
    num_ads = kinds.count(feed_item.AD)
    found: Counter[str] = Counter()
    found["home:served_tweets:count"] = len(posts) + num_ads
    found["home:injected:count"] = len(posts)
    found["home:promoted:count"] = num_ads
    found["who_to_follow:served_users:count"] = kinds.count(feed_item.WHO_TO_FOLLOW)
    for post in posts:
        found[f"served_type:{post.source.lower()}:count"] += 1
        found[f"card:{post.card}:count"] += 1
        for bit in unpack(post.row["type_metrics"] or b""):
            found[f"type:{BIT_NAMES[bit]}:count"] += 1
        if post.row["video_ms"] is not None and post.row["video_ms"] > 0:
            found["with_video_duration:num_videos:count"] += 1
    for kind in query_kinds(result.query):
        for size in size_buckets(len(posts) + num_ads):
            found[f"{kind}:{size}:count"] += 1
    return found


def query_kinds(query: ScoredPostsQuery) -> Iterator[str]:
    """Every name under which this request counts."""
    yield "request"
    if query.query_type in QUERY_TYPES:
        yield QUERY_TYPES[query.query_type]
    if query.request_context in CONTEXTS:
        yield CONTEXTS[query.request_context]


def size_buckets(served: int) -> Iterator[str]:
    """Every size bucket a page of so many items falls into. Upstream never sends its empty event; we do."""
    if not served:
        yield "size_is_empty"
    yield from (f"size_at_most_{size}" for size in SIZES if served <= size)

"""Notes what the page showed."""

from typing import Any

from feed.candidate_pipeline import Result, SideEffect
from feed.home_mixer import feed_item
from feed.home_mixer.query import ScoredPostsQuery
from feed.models import ServedHistory
from xsocial.kernel import clock


class UpdateServedHistorySideEffect(SideEffect):
    """One record per page; parents of a served reply count as served too."""

    essential = True

    def enabled(self, query: ScoredPostsQuery) -> bool:
        """By parameter; previews leave no trace."""
        return query.params.enable_served_history and not query.is_preview

    def run(self, result: Result) -> None:
        """One insert; nothing for an empty page."""
        query: ScoredPostsQuery = result.query
        kinds, items = result.selected["kind"].tolist(), result.selected["item"].tolist()
        entries = [
            entry
            for slot, (kind, item) in enumerate(zip(kinds, items, strict=True))
            for entry in _entries(slot, kind, item)
        ]
        if not entries:
            return
        ServedHistory.objects.create(
            user_id=query.user_id,
            platform=query.platform,
            request_id=query.request_id,
            request_type=query.query_type,
            served_at=clock.from_ms(query.now_ms),
            entries=entries,
            has_who_to_follow=feed_item.WHO_TO_FOLLOW in kinds,
        )


def _entries(slot: int, kind: str, item: Any) -> list[dict[str, Any]]:
    if kind == feed_item.POST:
        return _post_entries(slot, item)
    if kind == feed_item.AD:
        shown = {"post_id": item.post_id, "author_id": item.author_id, "impression": f"{item.impression_id:x}"}
        return [{"slot": slot, "kind": kind, **shown}]
    if kind == feed_item.WHO_TO_FOLLOW:
        return [{"slot": slot, "kind": kind, "user_ids": list(item.user_ids), "size": len(item.user_ids)}]
    if kind == feed_item.PUSH_TO_HOME:
        return [{"slot": slot, "kind": kind, "post_id": item.post_id, "score": 0.0}]
    return [{"slot": slot, "kind": kind}]


def _post_entries(slot: int, post: feed_item.PostRow) -> list[dict[str, Any]]:
    """An entry for the post and for each ancestor, in order of id, all in one slot."""
    shared = {
        "slot": slot,
        "kind": feed_item.POST,
        "repost_of_id": post.repost_of_id or None,
        "author_id": post.repost_of_user_id or post.author_id,
        "in_reply_to_id": post.in_reply_to_id or None,
        "score": post.score,
        "served_type": post.source,
        "prediction_id": post.row["prediction_id"],
    }
    return [{**shared, "post_id": post_id} for post_id in sorted({*post.ancestors, post.id})]

"""What visibility says about the selected posts, and about what they answer, quote or repost."""

from typing import Any

import numpy as np

from feed.candidate_pipeline import Batch, Hydrator
from feed.home_mixer import graph
from feed.home_mixer.candidate import YES
from feed.home_mixer.query import ScoredPostsQuery
from moderation import selectors as moderation
from moderation.visibility import SafetyLevel, ViewerFacts

ADULT_AGE = 18


class VFCandidateHydrator(Hydrator):
    """Two levels: what the viewer follows, and what was recommended, which is held to more."""

    reads = ("post_id", "in_network", "repost_of_id", "quote_of_id", "ancestors")
    writes = ("visibility", "is_dropped", "drop_ancillary")
    essential = True

    def hydrate(self, query: ScoredPostsQuery, batch: Batch) -> dict[str, Any]:
        """One query; on a post in both the stricter, recommended one counts."""
        rows = list(
            zip(
                batch["post_id"].tolist(),
                (batch["in_network"] == YES).tolist(),
                batch["repost_of_id"].tolist(),
                batch["quote_of_id"].tolist(),
                batch["ancestors"],
                strict=True,
            )
        )
        verdicts = _verdicts(query, rows)
        own = [verdicts.get(post_id) for post_id, *_ in rows]
        related = [_related(row) for row in rows]
        return {
            "visibility": [_words(verdict) for verdict in own],
            "is_dropped": np.array([verdict is not None and verdict.is_dropping for verdict in own]),
            "drop_ancillary": np.array(
                [any(verdicts[i].is_dropping for i in ids if i in verdicts) for ids in related], dtype=bool
            ),
        }


def _verdicts(query: ScoredPostsQuery, rows: list[tuple]) -> dict[int, Any]:
    home = {post_id for post_id, in_network, *_ in rows if in_network}
    home |= {repost for _, _, repost, _, _ in rows if repost}
    strange = {post_id for post_id, in_network, *_ in rows if not in_network}
    strange |= {quote for _, _, _, quote, _ in rows if quote}
    strange |= {ancestor for *_, ancestors in rows for ancestor in ancestors or ()}
    levels = {SafetyLevel.TIMELINE_HOME: home, SafetyLevel.TIMELINE_HOME_RECOMMENDATIONS: strange}
    return moderation.visibility_by_level(levels, facts=viewer_facts(query))


def _related(row: tuple) -> tuple[int, ...]:
    _, _, repost, quote, ancestors = row
    return tuple(post_id for post_id in (repost, quote, *(ancestors or ())) if post_id)


def viewer_facts(query: ScoredPostsQuery) -> ViewerFacts:
    """The viewer as visibility asks about them, from what the request already knows.

    Screening is not asked for here: ``ScreenedFilter`` did so for recommended posts, and a friend's
    fresh thread must not vanish because its first post was not looked at yet.
    """
    return ViewerFacts(
        user_id=query.user_id,
        is_adult=query.viewer.birth_year is None or query.year - query.viewer.birth_year > ADULT_AGE,
        shows_sensitive=query.viewer.shows_sensitive,
        shows_unscreened=True,
        following=frozenset(query.followed_user_ids.tolist()),
        subscribed=frozenset(query.subscribed_user_ids.tolist()),
        blocked=frozenset(query.blocked_user_ids.tolist()),
        blocked_by=frozenset(graph.of_viewer(query).blocked_by.tolist()),
    )


def _words(verdict: Any) -> dict[str, str] | None:
    if verdict is None or not verdict.action:
        return None
    return {"action": verdict.action.name.lower(), "reason": str(verdict.reason), "rule": verdict.rule}

"""The viewer's action sequence, read once per request and cut to what each model takes."""

from __future__ import annotations

from feed.home_mixer.query import ScoredPostsQuery
from ranking.sequences import action_sequence
from ranking.types import ActionSequence


def newest(query: ScoredPostsQuery, length: int) -> ActionSequence:
    """The newest ``length`` rows before the request's moment."""
    longest = max(query.params.max_sequence_scoring, query.params.max_sequence_retrieval)
    whole = query.memo.once(
        "action_sequence",
        lambda: action_sequence(query.user_id, before_ms=query.now_ms, max_length=longest),
    )
    return whole.newest(length)

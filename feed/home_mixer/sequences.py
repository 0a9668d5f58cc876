"""The viewer's action sequence, read once per request and cut to what each model takes."""

from __future__ import annotations

from feed.home_mixer.query import ScoredPostsQuery
from ranking.sequences import Newest, action_sequence, newest_actions
from ranking.types import ActionSequence


def newest(query: ScoredPostsQuery, length: int) -> ActionSequence:
    """The newest ``length`` rows before the request's moment."""
    longest = max(query.params.max_sequence_scoring, query.params.max_sequence_retrieval)
    actions = newest_actions_of(query)
    whole = query.memo.once(
        "action_sequence",
        lambda: action_sequence(query.user_id, before_ms=query.now_ms, max_length=longest, newest=actions),
    )
    return whole.newest(length)


def newest_actions_of(query: ScoredPostsQuery) -> Newest:
    """The raw actions the sequence is made of, and more than that: the viewer's newest."""
    return query.memo.once("newest_actions", lambda: newest_actions(query.user_id, before_ms=query.now_ms))

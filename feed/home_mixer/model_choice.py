"""Which model a request is given: upstream chooses among clusters, here it is a registered version.

A viewer with a short history can have a model of their own; the threshold 0 switches that off.
"""

from feed.home_mixer.query import ScoredPostsQuery
from ranking.types import ActionSequence


def ranker(query: ScoredPostsQuery) -> str:
    """Name of the ranker; empty is the promoted one."""
    params = query.params
    is_new = _is_short(query.scoring_sequence, params.new_user_ranker_history)
    return params.new_user_ranker_model if is_new else params.ranker_model


def retrieval(query: ScoredPostsQuery) -> str:
    """Name of the retrieval model for general pages; empty is the promoted one."""
    params = query.params
    is_new = _is_short(query.retrieval_sequence, params.new_user_retrieval_history)
    return params.new_user_retrieval_model if is_new else params.retrieval_model


def _is_short(sequence: ActionSequence | None, threshold: int) -> bool:
    return threshold > 0 and (len(sequence) if sequence is not None else 0) < threshold

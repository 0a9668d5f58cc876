"""Who blocks the viewer, read once per request."""

import numpy as np

from accounts.selectors import graph
from feed.home_mixer.query import ScoredPostsQuery


def of_request(query: ScoredPostsQuery) -> np.ndarray:
    """Ids of everyone who blocks the viewer."""
    return query.memo.once("blocked_by", lambda: graph.blocked_by_ids(query.user_id))

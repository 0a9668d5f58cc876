"""The viewer's edges, read once per request however many stages ask."""

from accounts.selectors import graph
from accounts.selectors.graph import Edges
from feed.home_mixer.query import ScoredPostsQuery


def of_viewer(query: ScoredPostsQuery) -> Edges:
    """Whom and what the viewer follows, blocks, mutes and pays, and who blocks the viewer: one query."""
    return query.memo.once("edges", lambda: graph.edges(query.user_id))

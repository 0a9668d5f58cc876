"""Gathers the facts that the visibility rules ask for, and applies them."""

from collections.abc import Collection, Iterable, Mapping

from django.conf import settings

from accounts.models import User
from accounts.selectors import graph
from moderation.visibility import PostFacts, SafetyLevel, Verdict, ViewerFacts, evaluate
from posts.selectors.visible import OPEN, Viewer
from posts.types import Visibility
from xsocial.kernel import clock, sql

ADULT_AGE = 18
# In the order of `PostFacts`. A repost shows its original, and labels are put on originals.
_FACTS = """
SELECT p.id, p.author_id,
       ARRAY(SELECT l.label FROM moderation_postlabel l WHERE l.post_id = coalesce(p.repost_of_id, p.id)
                AND l.lifted_at IS NULL AND (l.expires_at IS NULL OR l.expires_at > %(now)s)),
       p.deleted_at IS NOT NULL, p.sensitive, p.subscribers_only, p.visibility = ANY(%(open)s),
       p.visibility = %(direct)s, a.suspended_at IS NOT NULL OR NOT a.is_active, a.deactivated_at IS NOT NULL,
       a.is_locked, a.is_adult_author,
       (p.visibility <> ALL(%(open)s) OR a.is_locked)
           AND EXISTS (SELECT 1 FROM posts_mention m WHERE m.post_id = p.id AND m.user_id = %(who)s)
  FROM posts_post p JOIN accounts_user a ON a.id = p.author_id
 WHERE p.id = ANY(%(ids)s::bigint[])
"""


def visibility(
    post_ids: Iterable[int], *, level: SafetyLevel, viewer: Viewer, facts: ViewerFacts | None = None
) -> dict[int, Verdict]:
    """The verdict on each post that exists; ids of none are left out.

    One query for the posts, and one for the viewer's graph unless `facts` brings it along.
    """
    wanted = [int(post_id) for post_id in post_ids]
    if not wanted:
        return {}
    facts = facts or viewer_facts(viewer)
    return evaluate(post_facts(wanted, viewer_id=facts.user_id), facts, level=level)


def visibility_by_level(wanted: Mapping[SafetyLevel, Collection[int]], *, facts: ViewerFacts) -> dict[int, Verdict]:
    """Verdicts on posts judged at different levels; of a post in several, the last level's. One query."""
    every = sorted({post_id for post_ids in wanted.values() for post_id in post_ids})
    posts = {post.post_id: post for post in post_facts(every, viewer_id=facts.user_id)} if every else {}
    verdicts: dict[int, Verdict] = {}
    for level, post_ids in wanted.items():
        verdicts |= evaluate([posts[post_id] for post_id in post_ids if post_id in posts], facts, level=level)
    return verdicts


def viewer_facts(viewer: Viewer) -> ViewerFacts:
    """What the rules ask about the viewer. A visitor has neither graph nor opt-ins."""
    if viewer is None or not viewer.is_authenticated:
        return ViewerFacts(shows_unscreened=not settings_hold_unscreened())
    preferences = getattr(viewer, "feed_preferences", None)
    edges = graph.edges(viewer.pk)
    return ViewerFacts(
        user_id=viewer.pk,
        is_adult=_is_adult(viewer),
        shows_sensitive=bool(preferences and preferences.shows_sensitive),
        shows_unscreened=bool(preferences and preferences.shows_unscreened) or not settings_hold_unscreened(),
        following=frozenset(edges.following.tolist()),
        subscribed=frozenset(edges.subscribed.tolist()),
        blocked=frozenset(edges.blocked.tolist()),
        blocked_by=frozenset(edges.blocked_by.tolist()),
    )


def settings_hold_unscreened() -> bool:
    """Whether posts that Grox has not seen are kept out of recommendations (setting, default on)."""
    return bool(getattr(settings, "GROX_HOLD_UNSCREENED", True))


def _is_adult(viewer: User) -> bool:
    """Old enough whatever the birthday; an age nobody declared counts as adult only by opting in."""
    if viewer.birth_year is None:
        return True
    return clock.now().year - viewer.birth_year > ADULT_AGE


def post_facts(post_ids: list[int], *, viewer_id: int | None) -> list[PostFacts]:
    """What the rules ask about posts and authors. One query."""
    params = {
        "ids": sql.bigints(post_ids),
        "who": viewer_id,
        "now": clock.now(),
        "open": [str(value) for value in OPEN],
        "direct": str(Visibility.DIRECT),
    }
    rows = sql.rows(_FACTS, params)
    return [PostFacts(post_id, author_id, frozenset(labels), *facts) for post_id, author_id, labels, *facts in rows]

"""Which posts wait behind a click because of their labels, and why, in words."""

from collections.abc import Collection

from accounts.selectors import graph
from moderation import selectors as moderation
from moderation.visibility import Action, SafetyLevel, ViewerFacts
from posts.selectors.shown import ShownPost
from posts.selectors.visible import Viewer, viewer_id
from xsocial.kernel import clock

ADULT_AGE = 18
COVERS = {
    "adult": "May show nudity or sex",
    "graphic": "May show violence",
    "abuse": "May be insulting",
    "self_harm": "May be about self-harm",
    "sensitive": "May be sensitive",
}
COVER_OTHERWISE = "Covered by moderation"


def in_words(reason: str) -> str:
    """Why moderation covers a post."""
    return COVERS.get(reason, COVER_OTHERWISE)


def of_posts(posts: Collection[ShownPost], viewer: Viewer) -> dict[int, str]:
    """Covers by post id, for posts that the viewer may see. Four queries at most, none for no posts."""
    if not posts:
        return {}
    verdicts = moderation.visibility(
        {post.id for post in posts}, level=SafetyLevel.TIMELINE_HOME, viewer=viewer, facts=_facts(posts, viewer)
    )
    return {
        post_id: in_words(str(verdict.reason))
        for post_id, verdict in verdicts.items()
        if verdict.action == Action.INTERSTITIAL
    }


def _facts(posts: Collection[ShownPost], viewer: Viewer) -> ViewerFacts:
    """The viewer as the covers ask about them; who may read a post was decided when it was selected."""
    authors = frozenset(post.author_id for post in posts)
    who = viewer_id(viewer)
    if who is None:
        return ViewerFacts(shows_unscreened=True, following=authors, subscribed=authors)
    known = graph.viewer_settings(who)
    return ViewerFacts(
        user_id=who,
        is_adult=known.birth_year is None or clock.now().year - known.birth_year > ADULT_AGE,
        shows_sensitive=known.shows_sensitive,
        shows_unscreened=True,
        following=authors,
        subscribed=authors,
    )

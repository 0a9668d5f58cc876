"""Who speaks in a voice of their own."""

from collections.abc import Mapping

from moderation.grox import near_duplicates
from moderation.selectors.visibility import visibility
from moderation.visibility import Action, SafetyLevel, ViewerFacts

ANYBODY = ViewerFacts(shows_unscreened=True)


def voices(texts: Mapping[int, str]) -> dict[int, int]:
    """Those of the posts that would be recommended to anybody, each with the first that says nearly the same."""
    verdicts = visibility(texts, level=SafetyLevel.TIMELINE_HOME_RECOMMENDATIONS, viewer=None, facts=ANYBODY)
    fit = {post_id for post_id, verdict in verdicts.items() if verdict.action is Action.ALLOW}
    return near_duplicates.first_alike({post_id: text for post_id, text in texts.items() if post_id in fit})

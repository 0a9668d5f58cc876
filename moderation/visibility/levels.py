"""Safety levels: which rules hold on which surface."""

from collections.abc import Iterable
from enum import StrEnum

from moderation.visibility.rules import BASE_RULES, RECOMMENDATION_RULES, Rule
from moderation.visibility.types import ALLOWED, Action, PostFacts, Verdict, ViewerFacts


class SafetyLevel(StrEnum):
    """Home: people chose the author. Recommendations: we chose the post for them."""

    TIMELINE_HOME = "TimelineHome"
    TIMELINE_HOME_RECOMMENDATIONS = "TimelineHomeRecommendations"


RULES: dict[SafetyLevel, tuple[Rule, ...]] = {
    SafetyLevel.TIMELINE_HOME: BASE_RULES,
    SafetyLevel.TIMELINE_HOME_RECOMMENDATIONS: (*BASE_RULES, *RECOMMENDATION_RULES),
}


def evaluate(posts: Iterable[PostFacts], viewer: ViewerFacts, *, level: SafetyLevel) -> dict[int, Verdict]:
    """Verdict by post id: the most severe rule that holds; of equals, the one listed first."""
    rules = RULES[level]
    return {post.post_id: _verdict(post, viewer, rules) for post in posts}


def _verdict(post: PostFacts, viewer: ViewerFacts, rules: tuple[Rule, ...]) -> Verdict:
    verdict = ALLOWED
    for rule in rules:
        if rule.action > verdict.action and rule.holds(post, viewer):
            verdict = Verdict(rule.action, rule.reason, rule.name)
            if rule.action is Action.DROP:
                break
    return verdict

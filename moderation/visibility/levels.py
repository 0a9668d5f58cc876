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

# Most posts carry no label that any rule asks for: two thirds of the rules need not be tried on them.
_LABELS = {level: frozenset().union(*(rule.labels for rule in rules)) for level, rules in RULES.items()}
_PLAIN = {level: tuple(rule for rule in rules if not rule.labels) for level, rules in RULES.items()}


def evaluate(posts: Iterable[PostFacts], viewer: ViewerFacts, *, level: SafetyLevel) -> dict[int, Verdict]:
    """Verdict by post id: the most severe rule that holds; of equals, the one listed first."""
    rules, plain, labels = RULES[level], _PLAIN[level], _LABELS[level]
    return {post.post_id: _verdict(post, viewer, plain if labels.isdisjoint(post.labels) else rules) for post in posts}


def _verdict(post: PostFacts, viewer: ViewerFacts, rules: tuple[Rule, ...]) -> Verdict:
    verdict = ALLOWED
    for rule in rules:
        if rule.action > verdict.action and rule.holds(post, viewer):
            verdict = Verdict(rule.action, rule.reason, rule.name)
            if rule.action is Action.DROP:
                break
    return verdict

"""Visibility rules: pure values in, verdicts out."""

import pytest

from moderation.types import Label
from moderation.visibility import Action, PostFacts, Reason, SafetyLevel, ViewerFacts, evaluate
from moderation.visibility.rules import BASE_RULES, RECOMMENDATION_RULES

HOME = SafetyLevel.TIMELINE_HOME
RECOMMENDED = SafetyLevel.TIMELINE_HOME_RECOMMENDATIONS
AUTHOR, VIEWER = 7, 9
ALLOW, COVER, DROP = Action.ALLOW, Action.INTERSTITIAL, Action.DROP


def verdict(level, *labels, viewer=None, **facts):
    post = PostFacts(1, AUTHOR, frozenset({*labels, Label.PTOS_REVIEWED}), **facts)
    return evaluate([post], viewer or ViewerFacts(VIEWER, is_adult=True), level=level)[1]


@pytest.mark.parametrize(
    ("label", "home", "recommended"),
    [
        (Label.PDNA, DROP, DROP),
        (Label.CHILD_SAFETY, DROP, DROP),
        (Label.SPAM, DROP, DROP),
        (Label.NSFW_HIGH_PRECISION, COVER, DROP),
        (Label.NSFW_REPORTED_HEURISTICS, COVER, DROP),
        (Label.EGREGIOUS_NSFW, COVER, DROP),
        (Label.GORE_AND_VIOLENCE_HIGH_PRECISION, COVER, DROP),
        (Label.GORE_AND_VIOLENCE_REPORTED_HEURISTICS, COVER, DROP),
        (Label.NSFW_TEXT, ALLOW, DROP),
        (Label.NSFW_HIGH_RECALL, ALLOW, DROP),
        (Label.SOFT_NSFW, ALLOW, DROP),
        (Label.NSFW_CARD_IMAGE, ALLOW, DROP),
        (Label.DO_NOT_AMPLIFY, ALLOW, DROP),
        (Label.MALICIOUS_URL, ALLOW, DROP),
        (Label.SPAM_HIGH_RECALL, ALLOW, DROP),
        (Label.IMPERSONATION, ALLOW, DROP),
        (Label.FOSNR_ABUSE_INSULTS, ALLOW, DROP),
        (Label.GEO_RESTRICTED_MEDIA, ALLOW, DROP),
        (Label.COPYRIGHT_WITHHELD, ALLOW, DROP),
        (Label.FOSNR_HATEFUL_CONDUCT, COVER, DROP),
        (Label.FOSNR_VIOLENT_SPEECH, COVER, DROP),
        (Label.SELF_HARM, COVER, DROP),
        (Label.GROK_SFA, ALLOW, ALLOW),
        (Label.GROK_NSFA, ALLOW, ALLOW),
    ],
)
def test_labels(label, home, recommended):
    assert verdict(HOME, label).action is home
    assert verdict(RECOMMENDED, label).action is recommended


@pytest.mark.parametrize(
    ("facts", "reason"),
    [
        ({"is_deleted": True}, Reason.DELETED),
        ({"author_suspended": True}, Reason.AUTHOR_SUSPENDED),
        ({"author_deactivated": True}, Reason.AUTHOR_DEACTIVATED),
        ({"author_protected": True}, Reason.PROTECTED),
        ({"is_open": False}, Reason.PROTECTED),
        ({"is_open": False, "is_direct": True}, Reason.NOT_ADDRESSED),
        ({"is_subscribers_only": True}, Reason.SUBSCRIBERS_ONLY),
    ],
)
@pytest.mark.parametrize("level", SafetyLevel)
def test_who_may_open_it_holds_on_both_levels(level, facts, reason):
    found = verdict(level, **facts)
    assert (found.action, found.reason) == (DROP, reason)


@pytest.mark.parametrize("side", ["blocked", "blocked_by"])
def test_blocks_drop_either_way(side):
    assert verdict(HOME, viewer=ViewerFacts(VIEWER, **{side: frozenset({AUTHOR})})).is_dropping


def test_relations_open_what_is_closed():
    follower = ViewerFacts(VIEWER, following=frozenset({AUTHOR}))
    assert not verdict(HOME, viewer=follower, author_protected=True).is_dropping
    assert not verdict(HOME, viewer=follower, is_open=False).is_dropping
    assert verdict(HOME, viewer=follower, is_open=False, is_direct=True).is_dropping
    assert not verdict(HOME, is_open=False, is_direct=True, names_viewer=True).is_dropping
    subscriber = ViewerFacts(VIEWER, subscribed=frozenset({AUTHOR}))
    assert not verdict(HOME, viewer=subscriber, is_subscribers_only=True).is_dropping


def test_sensitive_media_needs_consent_and_age():
    consenting = ViewerFacts(VIEWER, is_adult=True, shows_sensitive=True)
    minor = ViewerFacts(VIEWER, is_adult=False, shows_sensitive=True)
    assert verdict(HOME, Label.NSFW_HIGH_PRECISION, viewer=consenting).action is ALLOW
    assert verdict(RECOMMENDED, Label.NSFW_HIGH_PRECISION, viewer=consenting).action is ALLOW
    assert verdict(HOME, Label.NSFW_HIGH_PRECISION, viewer=minor).action is COVER
    assert verdict(HOME, is_sensitive=True).action is COVER
    assert verdict(RECOMMENDED, is_sensitive=True).action is DROP


def test_adult_author_is_not_recommended():
    assert verdict(HOME, author_adult=True).action is ALLOW
    assert verdict(RECOMMENDED, author_adult=True).reason is Reason.SAFETY_ADULT


def test_unscreened_posts_are_kept_from_strangers_who_did_not_ask():
    post = PostFacts(1, AUTHOR)
    asked = ViewerFacts(VIEWER, shows_unscreened=True)
    assert evaluate([post], ViewerFacts(VIEWER), level=HOME)[1].action is ALLOW
    assert evaluate([post], ViewerFacts(VIEWER), level=RECOMMENDED)[1].reason is Reason.UNSCREENED
    assert evaluate([post], asked, level=RECOMMENDED)[1].action is ALLOW
    honest = PostFacts(1, AUTHOR, frozenset({Label.GROK_NOT_SCORED}))
    assert evaluate([honest], ViewerFacts(VIEWER), level=RECOMMENDED)[1].action is ALLOW


def test_authors_see_their_own_posts_unless_illegal_or_gone():
    author = ViewerFacts(AUTHOR)
    assert verdict(RECOMMENDED, Label.SPAM, Label.NSFW_HIGH_PRECISION, viewer=author).action is ALLOW
    assert verdict(HOME, Label.PDNA, viewer=author).action is DROP
    assert verdict(HOME, viewer=author, is_deleted=True).action is DROP


def test_the_most_severe_rule_wins():
    found = verdict(HOME, Label.NSFW_HIGH_PRECISION, Label.SPAM)
    assert (found.action, found.rule) == (DROP, "confirmed_spam")


def test_rule_names_are_unique():
    names = [rule.name for rule in (*BASE_RULES, *RECOMMENDATION_RULES)]
    assert len(names) == len(set(names))

"""From violations to flags and labels: every row of the table."""

import pytest

from moderation.grox.classifiers.schemas import BoolMetadata, Violation
from moderation.grox.labelling import flags_of, policy_labels, suitability
from moderation.grox.policies import policy_book
from moderation.types import Label

REVIEWED = Label.PTOS_REVIEWED


def labels(category, policy, *, has_media=False, language="en", is_exempt=False):
    violation = Violation(category=category, policy=policy, score=90)
    found = policy_labels([violation], has_media=has_media, language=language, text_hash="h", is_exempt=is_exempt)
    return [proposal.label for proposal in found]


@pytest.mark.parametrize(
    ("category", "policy", "expected"),
    [
        ("ViolentMedia", "Gore", []),
        ("AdultContent", "SexualHard", [Label.NSFW_HIGH_RECALL]),
        ("AdultContent", "SexualSoft", [Label.SOFT_NSFW]),
        ("Spam", "EngagementBaiting", [Label.SPAM_HIGH_RECALL]),
        ("Spam", "FinancialScam", [Label.SPAM_HIGH_RECALL]),
        ("IllegalAndRegulatedBehaviors", "IllegalDrugs", [Label.SPAM_HIGH_RECALL]),
        ("HateOrAbuse", "InsultsWithTarget", [Label.FOSNR_ABUSE_INSULTS]),
        ("HateOrAbuse", "SlursWithTarget", [Label.FOSNR_HATEFUL_CONDUCT]),
        ("ViolentSpeech", "MajorNonSpecificWithTarget", [Label.FOSNR_VIOLENT_SPEECH]),
        ("SuicideOrSelfHarm", "Encouraging", [Label.SELF_HARM]),
        ("SuicideOrSelfHarm", "ExpressingDesire", []),
        ("ChildSafety", "SexualExploitation", [Label.CHILD_SAFETY]),
        ("CivicIntegrity", "", []),
    ],
)
def test_label_table(category, policy, expected):
    assert labels(category, policy) == [*expected, REVIEWED]


def test_media_make_it_worse():
    assert labels("ViolentMedia", "Gore", has_media=True)[0] is Label.GORE_AND_VIOLENCE_HIGH_PRECISION
    assert Label.NSFW_HIGH_PRECISION in labels("AdultContent", "SexualHard", has_media=True)


def test_exemptions():
    assert labels("Spam", "FinancialScam", is_exempt=True) == [REVIEWED]
    assert labels("HateOrAbuse", "InsultsWithTarget", is_exempt=True) == [REVIEWED]
    assert labels("Spam", "EngagementFarming", is_exempt=True) == [Label.SPAM_HIGH_RECALL, REVIEWED]
    assert labels("AdultContent", "SexualHard", is_exempt=True)[0] is Label.NSFW_HIGH_RECALL
    assert labels("HateOrAbuse", "InsultsWithTarget", language="es") == [REVIEWED]


@pytest.mark.parametrize(
    ("flags", "is_borderline", "expected"),
    [
        ({}, False, Label.GROK_SFA),
        ({}, True, Label.GROK_NSFA_LIMITED),
        ({"is_soft_nsfw": True}, False, Label.GROK_NSFA_LIMITED),
        ({"is_violent": True}, False, Label.GROK_NSFA_LIMITED),
        ({"is_nsfw": True}, False, Label.GROK_NSFA),
        ({"is_gore": True}, False, Label.GROK_NSFA),
        ({"is_spam": True}, True, Label.GROK_NSFA),
        ({"is_hateful": True}, False, Label.GROK_NSFA),
        ({"is_self_harm": True}, False, Label.GROK_NSFA),
    ],
)
def test_suitability(flags, is_borderline, expected):
    assert suitability(BoolMetadata(**flags), is_borderline=is_borderline) is expected


def test_flags():
    found = flags_of(
        [
            Violation(category="AdultContent", policy="SexualHard", score=99),
            Violation(category="IllegalAndRegulatedBehaviors", policy="IllegalDrugs", score=90),
        ]
    )
    assert (found.is_nsfw, found.is_adult, found.is_spam, found.is_gore) == (True, True, True, False)


def test_the_policy_book_defines_ten_categories_and_names_known_policies():
    book = policy_book()
    assert len(book.categories) == 10
    for category in book.categories:
        named = {signal.policy for signal in category.signals} | {policy for policy, _ in category.patterns}
        assert named - {""} <= set(category.policies)
        assert all(signal.review < signal.enforce for signal in category.signals)
        assert category.definition.endswith(".")

"""Verdicts from labels, for posts and for candidates with quotes and failed look-ups."""

from itertools import combinations, product

import pytest

from ads.blending import Verdict
from ads.brand_safety import MEDIUM_RISK_LABELS, exported_labels, rule_category, verdict_of_labels, verdicts

CUTOFF = 2_054_275_414_225_846_272
LABELS = ["NSFW_TEXT", "GROK_SFA", "GROK_NSFA_LIMITED", "NSFA_HIGH_RECALL", "PTOS_REVIEWED"]
SETS = [set(chosen) for size in range(len(LABELS) + 1) for chosen in combinations(LABELS, size)]


def worst_reason(labels, post_id):
    """The verdict table read as a list of reasons, the worst of which counts."""
    reasons = [Verdict.SAFE]
    if "NSFW_TEXT" in labels or labels.isdisjoint({"GROK_SFA", "GROK_NSFA_LIMITED"}):
        reasons.append(Verdict.MEDIUM_RISK)
    if post_id >= CUTOFF and "PTOS_REVIEWED" not in labels:
        reasons.append(Verdict.MEDIUM_RISK)
    if labels & {"GROK_NSFA_LIMITED", "NSFA_HIGH_RECALL"}:
        reasons.append(Verdict.LOW_RISK)
    return max(reasons)


@pytest.mark.parametrize(("labels", "post_id"), list(product(SETS, [CUTOFF - 1, CUTOFF, CUTOFF + 1])))
def test_verdict_table(labels, post_id):
    verdict = verdict_of_labels(labels, post_id=post_id, review_cutoff_id=CUTOFF)
    assert verdict == worst_reason(labels, post_id)


@pytest.mark.parametrize("label", sorted(MEDIUM_RISK_LABELS))
def test_each_medium_label_outweighs_a_good_score(label):
    assert verdict_of_labels({"GROK_SFA", label}, post_id=1) == Verdict.MEDIUM_RISK


@pytest.mark.parametrize(
    ("labels", "verdict"),
    [
        ({"GROK_SFA"}, Verdict.SAFE),
        ({"grok_sfa"}, Verdict.SAFE),
        ({"GROK_NSFA_LIMITED"}, Verdict.LOW_RISK),
        ({"GROK_SFA", "NSFA_LIMITED_INVENTORY"}, Verdict.LOW_RISK),
        ({"PTOS_REVIEWED"}, Verdict.MEDIUM_RISK),
        (set(), Verdict.MEDIUM_RISK),
    ],
)
def test_without_a_cutoff_no_review_is_asked_for(labels, verdict):
    assert verdict_of_labels(labels, post_id=CUTOFF + 1) == verdict


def test_a_candidate_is_as_risky_as_the_worse_of_itself_and_its_quote():
    labels = {1: {"GROK_SFA"}, 2: {"GROK_NSFA_LIMITED"}, 3: {"GROK_SFA", "NSFW_TEXT"}}
    candidates = [(1, None), (1, 2), (2, 1), (1, 3), (1, 9), (9, None)]
    assert verdicts(candidates, labels) == [
        Verdict.SAFE,
        Verdict.LOW_RISK,
        Verdict.LOW_RISK,
        Verdict.MEDIUM_RISK,
        Verdict.MEDIUM_RISK,
        Verdict.MEDIUM_RISK,
    ]


def test_a_failed_look_up_never_makes_a_candidate_safer():
    labels = {1: {"GROK_SFA"}}
    assert verdicts([(1, 5), (5, 1), (1, None)], labels, failed_ids={5}) == [
        Verdict.MEDIUM_RISK,
        None,
        Verdict.SAFE,
    ]


def test_only_public_labels_are_exported_each_once():
    assert exported_labels({"GROK_SFA", "PTOS_REVIEWED"}, {"GROK_SFA", "NSFW_TEXT", "SPAM"}) == [
        "GROK_SFA",
        "NSFW_TEXT",
    ]


@pytest.mark.parametrize(
    ("rule_id", "category"),
    [
        (999, "Legacy"),
        (1000, "Content"),
        (1100, "ContentLimited"),
        (1399, "Safety"),
        (1400, "Grok"),
        (1500, "Quote"),
        (1600, "Quote"),
        (1601, "Legacy"),
    ],
)
def test_rule_categories(rule_id, category):
    assert rule_category(rule_id) == category

"""The shipped heads on plain examples: what must be found, and what must be left alone."""

import pytest

from moderation.grox import screening
from moderation.grox.classifiers import heads
from moderation.grox.documents import documents_of
from moderation.grox.training.tasks import TASKS


def violations(text):
    (document,) = documents_of([1], [text])
    (scores,) = screening.score([document])
    result = screening.policies_violated(document, scores)
    return {(v.category, v.policy) for v in result.violations}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("You are a worthless idiot, go to hell", ("HateOrAbuse", "InsultsWithTarget")),
        ("you are a w0rthless id1ot, g0 to hell", ("HateOrAbuse", "InsultsWithTarget")),
        ("WIN a FREE phone now!!! Claim your prize at http://x.example", ("Spam", "FinancialScam")),
        ("hot singles near you want to have sex tonight", ("AdultContent", "SexualHard")),
        ("I want to cut myself again", ("SuicideOrSelfHarm", "ExpressingDesire")),
        ("just kill yourself already", ("SuicideOrSelfHarm", "Encouraging")),
        ("dm for cocaine, or buy some mdma here", ("IllegalAndRegulatedBehaviors", "IllegalDrugs")),
    ],
)
def test_found(text, expected):
    assert expected in violations(text)


@pytest.mark.parametrize(
    "text",
    [
        "I made sourdough bread today and it turned out great",
        "The parliament passed the budget after a long debate",
        "My cat destroyed the sofa again",
        "kill the lights, the show starts",
        "I hate mondays",
        "Our team was brutal today, what a match",
    ],
)
def test_left_alone(text):
    assert violations(text) == set()


def test_unscored_documents_have_no_scores_and_no_violations():
    documents = documents_of([1, 2], ["Buenos días a todos los vecinos del barrio", "A fine morning in the park"])
    foreign, english = screening.score(documents)
    assert foreign.values == {}
    assert foreign.not_scored == "language es"
    assert english.values
    assert english.versions.keys() == {"abuse", "hate", "offensive", "policy", "spam", "toxicity"}
    assert screening.policies_violated(documents[0], foreign).violations == []


def test_a_batch_is_scored_once_and_as_each_alone():
    documents = documents_of([1, 2], ["A fine morning in the park", "You are a worthless idiot"])
    batch = screening.BatchScores(documents)
    (alone,) = screening.score(documents[1:])
    together = batch.of(2)
    assert together is batch.of(2)
    assert together.values == pytest.approx(alone.values, abs=2e-3)


def test_every_task_ships_a_head_that_says_where_it_comes_from():
    assert heads.available() == sorted(TASKS)
    for name in TASKS:
        head = heads.load(name)
        assert head.classes == TASKS[name].classes
        assert head.about["licence"]
        assert all(len(value) == 64 for value in head.about["trained_on"].values())
        assert (heads.ARTIFACTS / f"{name}.npz").stat().st_size < 5_000_000

"""Our figures are those of scikit-learn and ranx."""

import json
import os
import subprocess
import sys

import numpy as np
import pytest
from sklearn.metrics import average_precision_score, log_loss, ndcg_score, roc_auc_score

from ranking.training import metrics

EXACT = 1e-9


@pytest.fixture
def rng():
    return np.random.default_rng(1)


@pytest.fixture
def pages(rng):
    """Scores without ties, binary labels and validity of 60 pages of 25 posts."""
    scores = rng.permutation(60 * 25).reshape(60, 25) / 1000
    labels = (rng.random((60, 25)) < 0.2).astype(float)
    labels[:, 0] = 1
    valid = rng.random((60, 25)) < 0.9
    valid[:, 0] = True
    return scores, labels, valid


def ranx_figures(pages, names):
    scores, labels, valid = pages
    documents = [[str(i) for i in np.flatnonzero(row)] for row in valid]
    asked = {
        "run": {f"q{r}": {d: float(scores[r, int(d)]) for d in row} for r, row in enumerate(documents)},
        "qrels": {f"q{r}": {d: 1 for d in row if labels[r, int(d)]} for r, row in enumerate(documents)},
        "metrics": names,
    }
    command = [sys.executable, "-W", "ignore", "-m", "tests.ranking.ranx_oracle"]
    environment = {**os.environ, "NUMBA_DISABLE_JIT": "1"}
    answer = subprocess.run(
        command, input=json.dumps(asked), capture_output=True, text=True, check=True, env=environment
    )
    return json.loads(answer.stdout)


def test_page_figures_are_those_of_ranx(pages):
    ours = {"ndcg@10": metrics.ndcg, "mrr@10": metrics.mrr, "recall@10": metrics.recall}
    theirs = ranx_figures(pages, list(ours))
    for name, figure in ours.items():
        assert figure(*pages, k=10) == pytest.approx(theirs[name], abs=EXACT)


def test_auc_and_pr_auc_are_scikit_learns_with_ties(rng):
    labels, scores = rng.random(500) < 0.2, np.round(rng.random(500), 2)
    assert metrics.auc(scores, labels) == pytest.approx(roc_auc_score(labels, scores), abs=EXACT)
    assert metrics.pr_auc(scores, labels) == pytest.approx(average_precision_score(labels, scores), abs=EXACT)


def test_graded_ndcg_is_scikit_learns(rng):
    scores, gains = rng.random((40, 12)), rng.integers(0, 4, (40, 12)).astype(float)
    gains[:, 0] = 1
    ours = metrics.ndcg(scores, gains, np.ones_like(scores, bool), k=10)
    assert ours == pytest.approx(ndcg_score(gains, scores, k=10), abs=EXACT)


def test_normalised_entropy_is_a_ratio_of_scikit_learns_log_losses(rng):
    labels, predicted = (rng.random(400) < 0.3).astype(float), rng.random(400)
    base = np.full(400, labels.mean())
    expected = log_loss(labels, predicted) / log_loss(labels, base)
    assert metrics.normalised_entropy(predicted, labels) == pytest.approx(expected, abs=EXACT)


def test_calibration_error_by_hand():
    predicted, labels = np.array([0.1, 0.1, 0.9, 0.9]), np.array([0.0, 1.0, 1.0, 1.0])
    assert metrics.expected_calibration_error(predicted, labels, bins=2) == pytest.approx((0.4 + 0.1) / 2)


def test_the_first_k_are_those_with_the_highest_scores(pages):
    scores, _, valid = pages
    chosen = metrics.top(scores, valid, k=3)
    assert (chosen.sum(axis=1) == np.minimum(valid.sum(axis=1), 3)).all()
    least = np.where(chosen, scores, np.inf).min(axis=1)
    assert (np.where(valid & ~chosen, scores, -1).max(axis=1) < least).all()


def test_gini():
    assert metrics.gini(np.array([3, 3, 3])) == pytest.approx(0)
    assert metrics.gini(np.array([0, 0, 0, 8])) == pytest.approx(0.75)
    values = np.array([1.0, 4.0, 2.0, 9.0, 0.0])
    pairs = np.abs(values[:, None] - values[None, :]).mean() / (2 * values.mean())
    assert metrics.gini(values) == pytest.approx(pairs, abs=EXACT)
    assert metrics.gini(np.zeros(3)) is None

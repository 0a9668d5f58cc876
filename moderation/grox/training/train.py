"""Fits heads from labelled files and writes their artefacts.

Out-of-fold scores on the training split calibrate the head and set its decision thresholds; the
validation split is only looked at to report.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar
from scipy.sparse import csr_matrix, hstack
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import f1_score, roc_auc_score
from sklearn.model_selection import StratifiedKFold, cross_val_predict

from moderation.grox.classifiers import heads
from moderation.grox.classifiers.heads import Head
from moderation.grox.classifiers.ngrams import CHAR_OPTIONS, WORD_OPTIONS, Terms
from moderation.grox.embedders import minilm
from moderation.grox.training import metrics
from moderation.grox.training.datasets import UNKNOWN, Labelled, file_sha256
from moderation.grox.training.tasks import Task
from xsocial.kernel import clock

FOLDS = 5
MAX_ITERATIONS = 400
SEED = 7
THRESHOLD_ROUNDS = 2
THRESHOLDS_TRIED = np.linspace(0.1, 0.9, 33)

Embed = Callable[[list[str]], NDArray[np.float32]]


def train(task: Task, folder: Path, *, embed: Embed = minilm.embed) -> Head:
    """Train one head from the folder's files. Raise Invalid if one is missing or malformed."""
    data = task.read_all(folder, "train")
    head, out_of_fold = fit(task, data, embed(data.texts))
    head.about.update(
        trained_on={path.name: file_sha256(path) for path in task.paths(folder, "train")},
        licence=task.licence,
        rows=len(data),
        embedder=f"{minilm.MODEL_NAME} {minilm.weights_sha256()[:12]}",
        created=clock.now().date().isoformat(),
        out_of_fold_auc=out_of_fold,
        validation={
            path.name: evaluate(head, task.read(path), embed=embed).as_dict() for path in task.paths(folder, "val")
        },
    )
    return head


def evaluate(head: Head, data: Labelled, *, embed: Embed = minilm.embed) -> metrics.Figures:
    """Judge a head on labelled texts."""
    return metrics.judge(head, head.probabilities(data.texts, embed(data.texts)), data)


def fit(task: Task, data: Labelled, vectors: NDArray[np.float32]) -> tuple[Head, dict[str, float]]:
    """Fit a head; also return the out-of-fold AUC of each class."""
    words, word_terms = _terms(data.texts, WORD_OPTIONS, min_df=2, limit=task.num_words)
    chars, char_terms = _terms(data.texts, CHAR_OPTIONS, min_df=3, limit=task.num_chars)
    features = hstack([words, chars, task.vector_scale * csr_matrix(vectors)], format="csr")
    weights, bias, thresholds, auc = (_fit_exclusive if task.exclusive else _fit_each)(task, data, features)
    num_sparse = words.shape[1] + chars.shape[1]
    head = Head(
        task=task.name,
        version=f"{task.name}_{clock.now():%Y%m%d}",
        classes=task.classes,
        exclusive=task.exclusive,
        languages=("en",),
        words=word_terms,
        chars=char_terms,
        sparse_weights=weights[:, :num_sparse].astype(np.float32),
        vector_weights=(task.vector_scale * weights[:, num_sparse:]).astype(np.float32),
        bias=bias.astype(np.float32),
        thresholds=thresholds.astype(np.float32),
    )
    return head, auc


def _terms(texts: list[str], options: dict[str, Any], *, min_df: int, limit: int) -> tuple[csr_matrix, Terms]:
    vectorizer = TfidfVectorizer(
        sublinear_tf=True, lowercase=False, dtype=np.float32, min_df=min_df, max_features=limit, **options
    )
    matrix = vectorizer.fit_transform(texts)
    return matrix, Terms(tuple(vectorizer.get_feature_names_out()), vectorizer.idf_)


def _regression(task: Task) -> LogisticRegression:
    return LogisticRegression(C=task.inverse_regularisation, max_iter=MAX_ITERATIONS)


def _balanced(cells: NDArray[np.int64]) -> NDArray[np.float64]:
    """Weights with which every source and class together count alike, however many rows they have."""
    _, cell, sizes = np.unique(cells, return_inverse=True, return_counts=True)
    return len(cells) / (len(sizes) * sizes[cell])


def _out_of_fold(
    task: Task, features: csr_matrix, labels: NDArray[np.integer], cells: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Decision values of rows by models that did not see them; folds hold all sources and classes alike."""
    return cross_val_predict(
        _regression(task),
        features,
        labels,
        cv=list(_folds().split(features, cells)),
        params={"sample_weight": _balanced(cells)},
        method="decision_function",
    )


def _folds() -> StratifiedKFold:
    return StratifiedKFold(FOLDS, shuffle=True, random_state=SEED)


def _fit_each(task: Task, data: Labelled, features: csr_matrix) -> tuple[Any, Any, Any, dict[str, float]]:
    """One regression a class against the rest, each on the rows whose label is known."""
    fitted = [_fit_one(task, data.labels[:, i], data.sources, features) for i in range(len(task.classes))]
    weights, bias, thresholds, auc = (list(column) for column in zip(*fitted, strict=True))
    return np.vstack(weights), np.array(bias), np.array(thresholds), dict(zip(task.classes, auc, strict=True))


def _fit_one(
    task: Task, labels: NDArray[np.int8], sources: NDArray[np.int64], features: csr_matrix
) -> tuple[Any, float, float, float]:
    known = labels != UNKNOWN
    labels, sources, features = labels[known], sources[known], features[known]
    cells = 2 * sources + labels
    model = _regression(task).fit(features, labels, sample_weight=_balanced(cells))
    scores = _out_of_fold(task, features, labels, cells)
    # Platt scaling: the balanced weights of the fit leave its probabilities too high for rare classes
    platt = LogisticRegression(C=1e3).fit(scores[:, None], labels)
    slope, offset = float(platt.coef_[0, 0]), float(platt.intercept_[0])
    threshold = _best_threshold(heads.sigmoid(slope * scores + offset), labels, sources)
    bias = slope * float(model.intercept_[0]) + offset
    return slope * model.coef_[0], bias, threshold, float(roc_auc_score(labels, scores))


def _best_threshold(probabilities: NDArray[np.float32], labels: NDArray[np.int8], sources: NDArray[np.int64]) -> float:
    """The cut with the best macro-F1, averaged over the sources."""

    def score(cut: float) -> float:
        of_source = [sources == source for source in np.unique(sources)]
        return float(np.mean([f1_score(labels[s], probabilities[s] >= cut, average="macro") for s in of_source]))

    candidates = np.unique(np.quantile(probabilities, np.linspace(0.01, 0.99, 99)))
    return float(max(candidates, key=score))


def _fit_exclusive(task: Task, data: Labelled, features: csr_matrix) -> tuple[Any, Any, Any, dict[str, float]]:
    """One softmax over all classes, its temperature set out of fold."""
    labels = data.labels.argmax(axis=1)
    model = _regression(task).fit(features, labels, sample_weight=_balanced(labels))
    scores = _out_of_fold(task, features, labels, labels)
    slope = _temperature_slope(scores, labels)
    auc = {name: float(roc_auc_score(labels == index, scores[:, index])) for index, name in enumerate(task.classes)}
    thresholds = _best_thresholds(heads.softmax(slope * scores), labels)
    return slope * model.coef_, slope * model.intercept_, thresholds, auc


def _best_thresholds(probabilities: NDArray[np.float32], labels: NDArray[np.int64]) -> NDArray[np.float64]:
    """The share that each class must reach, in turn moved to where macro-F1 is best: rare classes need less."""
    thresholds = np.full(probabilities.shape[1], 0.5)
    for _ in range(THRESHOLD_ROUNDS):
        for index in range(len(thresholds)):
            tried = np.tile(thresholds, (len(THRESHOLDS_TRIED), 1))
            tried[:, index] = THRESHOLDS_TRIED
            scores = [f1_score(labels, (probabilities / row).argmax(axis=1), average="macro") for row in tried]
            thresholds = tried[int(np.argmax(scores))]
    return thresholds


def _temperature_slope(scores: NDArray[np.float64], labels: NDArray[np.int64]) -> float:
    """The factor on the logits with the least out-of-fold log loss."""

    def loss(slope: float) -> float:
        probabilities = heads.softmax(slope * scores)[np.arange(len(labels)), labels]
        return float(-np.log(np.clip(probabilities, 1e-9, 1)).mean())

    return float(minimize_scalar(loss, bounds=(0.05, 5.0), method="bounded").x)

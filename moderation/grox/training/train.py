"""Fits heads from labelled files and writes their artefacts.

Out-of-fold scores on the training split calibrate the head. Its decision thresholds are set on these and on the
validation split, every file counting alike; of the rest the validation split knows nothing.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
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
from moderation.grox.classifiers.surface import surface
from moderation.grox.drift import histogram
from moderation.grox.embedders import minilm
from moderation.grox.training import metrics
from moderation.grox.training.datasets import UNKNOWN, Labelled, file_sha256
from moderation.grox.training.examples import Likeness, example_sentences
from moderation.grox.training.tasks import Task
from xsocial.kernel import clock

FOLDS = 5
MAX_ITERATIONS = 400
SEED = 7
READS_SCALE = 0.5
PLATEAU = 0.003  # of macro-F1: cuts this close to the best are equally good, and their middle is the safest
THRESHOLD_ROUNDS = 2
THRESHOLDS_TRIED = np.linspace(0.1, 0.9, 33)

Embed = Callable[[list[str]], NDArray[np.float32]]


@dataclass(frozen=True)
class Fitted:
    """Weights [C, features] and bias [C]; and out of fold, probabilities [N, C] and the AUC of each class."""

    weights: NDArray[np.float64]
    bias: NDArray[np.float64]
    probabilities: NDArray[np.floating]
    auc: dict[str, float]


def train(task: Task, folder: Path, *, embed: Embed = minilm.embed) -> Head:
    """Train one head from the folder's files. Raise Invalid if one is missing or malformed."""
    data, validation = task.read_all(folder, "train"), task.read_all(folder, "val")
    head, fitted = fit(task, data, embed(data.texts))
    unseen = np.vstack([fitted.probabilities, head.probabilities(validation.texts, embed(validation.texts))])
    head = replace(head, thresholds=_thresholds(task, data.followed_by(validation), unseen))
    head.about.update(
        trained_on={path.name: file_sha256(path) for path in task.paths(folder, "train")},
        licence=task.licence,
        rows=len(data),
        embedder=f"{minilm.MODEL_NAME} {minilm.weights_sha256()[:12]}",
        created=clock.now().date().isoformat(),
        out_of_fold_auc=fitted.auc,
        reference={
            name: histogram(fitted.probabilities[data.labels[:, i] != UNKNOWN, i])
            for i, name in enumerate(task.classes)
        },
        validation={
            path.name: evaluate(head, task.read(path), embed=embed).as_dict() for path in task.paths(folder, "val")
        },
    )
    return head


def evaluate(head: Head, data: Labelled, *, embed: Embed = minilm.embed) -> metrics.Figures:
    """Judge a head on labelled texts."""
    return metrics.judge(head, head.probabilities(data.texts, embed(data.texts)), data)


def fit(task: Task, data: Labelled, vectors: NDArray[np.float32]) -> tuple[Head, Fitted]:
    """Fit a head; also return what it says out of fold."""
    words, word_terms = _terms(data.texts, WORD_OPTIONS, min_df=2, limit=task.num_words)
    chars, char_terms = _terms(data.texts, CHAR_OPTIONS, min_df=3, limit=task.num_chars)
    likeness = Likeness.to(example_sentences(), vectors) if task.has_examples else None
    read = heads.Bank([heads.load(name) for name in task.reads]) if task.reads else None
    dense = [
        task.vector_scale * vectors,
        task.surface_scale * surface(data.texts),
        likeness.of(vectors) if likeness else vectors[:, :0],
        READS_SCALE * heads.as_evidence(read.probabilities(data.texts, vectors)) if read else vectors[:, :0],
    ]
    features = hstack([words, chars, *map(csr_matrix, dense)], format="csr")
    fitted = (_fit_exclusive if task.exclusive else _fit_each)(task, data, features)
    ends = np.cumsum([words.shape[1] + chars.shape[1], *(part.shape[1] for part in dense)])[:-1]
    sparse_weights, vector_weights, surface_weights, likeness_weights, reads_weights = np.split(
        fitted.weights, ends, axis=1
    )
    vector_weights, bias = task.vector_scale * vector_weights, fitted.bias
    if likeness:
        more_weights, more_bias = likeness.folded(likeness_weights)
        vector_weights, bias = vector_weights + more_weights, bias + more_bias
    head = Head(
        task=task.name,
        version=f"{task.name}_{clock.now():%Y%m%d}",
        classes=task.classes,
        exclusive=task.exclusive,
        languages=("en",),
        words=word_terms,
        chars=char_terms,
        sparse_weights=sparse_weights.astype(np.float32),
        vector_weights=vector_weights.astype(np.float32),
        surface_weights=(task.surface_scale * surface_weights).astype(np.float32),
        bias=bias.astype(np.float32),
        thresholds=_thresholds(task, data, fitted.probabilities),
        reads=tuple(read.keys) if read else (),
        reads_weights=(READS_SCALE * reads_weights).astype(np.float32) if read else None,
    )
    return head, fitted


def _terms(texts: list[str], options: dict[str, Any], *, min_df: int, limit: int) -> tuple[csr_matrix, Terms]:
    vectorizer = TfidfVectorizer(
        sublinear_tf=True, lowercase=False, dtype=np.float32, min_df=min_df, max_features=limit, **options
    )
    matrix = vectorizer.fit_transform(texts)
    return matrix, Terms(tuple(vectorizer.get_feature_names_out()), vectorizer.idf_)


def _regression(task: Task) -> LogisticRegression:
    solver = "lbfgs" if task.exclusive else "liblinear"  # the latter is faster on many rare features
    return LogisticRegression(C=task.inverse_regularisation, max_iter=MAX_ITERATIONS, solver=solver)


def _balanced(task: Task, cells: NDArray[np.int64]) -> NDArray[np.float64]:
    """Weights with which every source and class together count alike, however many rows they have.

    The made-up statements, the last source of their task, count less.
    """
    _, cell, sizes = np.unique(cells, return_inverse=True, return_counts=True)
    weights = len(cells) / (len(sizes) * sizes[cell])
    return (
        np.where(cells >= 2 * len(task.files), task.template_weight, 1.0) * weights if task.has_templates else weights
    )


def _out_of_fold(
    task: Task, features: csr_matrix, labels: NDArray[np.integer], cells: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Decision values of rows by models that did not see them; folds hold all sources and classes alike."""
    return cross_val_predict(
        _regression(task),
        features,
        labels,
        cv=list(_folds().split(features, cells)),
        params={"sample_weight": _balanced(task, cells)},
        method="decision_function",
    )


def _folds() -> StratifiedKFold:
    return StratifiedKFold(FOLDS, shuffle=True, random_state=SEED)


def _fit_each(task: Task, data: Labelled, features: csr_matrix) -> Fitted:
    """One regression a class against the rest, each on the rows whose label is known."""
    fitted = Fitted(
        weights=np.zeros((len(task.classes), features.shape[1])),
        bias=np.zeros(len(task.classes)),
        probabilities=np.zeros(data.labels.shape),
        auc={},
    )
    for number, name in enumerate(task.classes):
        known = data.labels[:, number] != UNKNOWN
        weights, bias, scores = _fit_one(task, data.labels[known, number], data.sources[known], features[known])
        fitted.weights[number], fitted.bias[number] = weights, bias
        fitted.probabilities[known, number] = heads.sigmoid(scores)
        fitted.auc[name] = float(roc_auc_score(data.labels[known, number], scores))
    return fitted


def _fit_one(
    task: Task, labels: NDArray[np.int8], sources: NDArray[np.int64], features: csr_matrix
) -> tuple[NDArray[np.float64], float, NDArray[np.float64]]:
    """Weights, bias and calibrated scores out of fold."""
    cells = 2 * sources + labels
    model = _regression(task).fit(features, labels, sample_weight=_balanced(task, cells))
    scores = _out_of_fold(task, features, labels, cells)
    # Platt scaling: the balanced weights of the fit leave its probabilities too high for rare classes
    platt = LogisticRegression(C=1e3).fit(scores[:, None], labels)
    slope, offset = float(platt.coef_[0, 0]), float(platt.intercept_[0])
    return slope * model.coef_[0], slope * float(model.intercept_[0]) + offset, slope * scores + offset


def _thresholds(task: Task, data: Labelled, probabilities: NDArray[np.float64]) -> NDArray[np.float32]:
    """Where to cut each class's probabilities [N, C] of rows that the model had not seen."""
    if task.exclusive:
        return _best_thresholds(probabilities, data.labels.argmax(axis=1)).astype(np.float32)
    cuts = []
    for number in range(len(task.classes)):
        known = data.labels[:, number] != UNKNOWN
        cuts.append(_best_threshold(probabilities[known, number], data.labels[known, number], data.sources[known]))
    return np.array(cuts, dtype=np.float32)


def _best_threshold(probabilities: NDArray[np.float32], labels: NDArray[np.int8], sources: NDArray[np.int64]) -> float:
    """The middle of the cuts with the best macro-F1, averaged over the sources."""

    def score(cut: float) -> float:
        of_source = [sources == source for source in np.unique(sources)]
        return float(np.mean([f1_score(labels[s], probabilities[s] >= cut, average="macro") for s in of_source]))

    cuts = np.unique(np.quantile(probabilities, np.linspace(0.01, 0.99, 99)))
    scores = np.array([score(cut) for cut in cuts])
    return float(cuts[scores >= scores.max() - PLATEAU].mean())


def _fit_exclusive(task: Task, data: Labelled, features: csr_matrix) -> Fitted:
    """One softmax over all classes, its temperature set out of fold."""
    labels = data.labels.argmax(axis=1)
    model = _regression(task).fit(features, labels, sample_weight=_balanced(task, labels))
    scores = _out_of_fold(task, features, labels, labels)
    slope = _temperature_slope(scores, labels)
    return Fitted(
        weights=slope * model.coef_,
        bias=slope * model.intercept_,
        probabilities=heads.softmax(slope * scores),
        auc={name: float(roc_auc_score(labels == i, scores[:, i])) for i, name in enumerate(task.classes)},
    )


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

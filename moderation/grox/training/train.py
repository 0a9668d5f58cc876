"""Fits heads from labelled files and writes their artefacts.

Out-of-fold scores on the training split calibrate the head. Where the adapter has learned from the same texts, the
texts kept back from it calibrate the head and say how much to believe of either. Decision thresholds are set on these
scores and on the validation split, every file counting alike; of the rest the validation split knows nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix, diags, hstack
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import f1_score, roc_auc_score
from sklearn.model_selection import StratifiedKFold

from moderation.grox.classifiers import heads
from moderation.grox.classifiers.heads import Head
from moderation.grox.classifiers.ngrams import CHAR_OPTIONS, WORD_OPTIONS, Terms
from moderation.grox.classifiers.surface import surface
from moderation.grox.embedders import adapter, minilm
from moderation.grox.embedders.adapter import Adapter
from moderation.grox.training import metrics
from moderation.grox.training.datasets import UNKNOWN, Labelled, file_sha256
from moderation.grox.training.examples import Likeness, example_sentences
from moderation.grox.training.tasks import Task
from xsocial.kernel import clock

FOLDS = 5
MAX_ITERATIONS = 400
SEED = 7
READS_SCALE = 0.5
SMOOTHING = 0.01  # of n-gram counts
CUTS = np.linspace(-6, 6, 241)  # log odds
CLOSE = 0.005  # of macro-F1: cuts nearer than this to the best count nearly as much
THRESHOLD_ROUNDS = 2
THRESHOLDS_TRIED = np.linspace(0.1, 0.9, 33)

Embed = Callable[[list[str]], NDArray[np.float32]]
Logits = NDArray[np.float32]


@dataclass(frozen=True)
class Fitted:
    """Weights [C, features] and bias [C]; what the adapter's outputs count for [C, C], if it knows the task.

    `probabilities` [N, C] are those of models that had not seen the text, of the rows that are `unseen`.
    """

    weights: NDArray[np.float64]
    bias: NDArray[np.float64]
    shares: NDArray[np.float64]
    probabilities: NDArray[np.floating]
    unseen: NDArray[np.bool_]

    def auc(self, data: Labelled) -> list[float]:
        """Of each class."""
        known = (data.labels != UNKNOWN) & self.unseen[:, None]
        return [
            float(roc_auc_score(data.labels[known[:, i], i], self.probabilities[known[:, i], i]))
            for i in range(data.labels.shape[1])
        ]


def train(task: Task, folder: Path, *, embed: Embed = minilm.read, artifacts: Path = heads.ARTIFACTS) -> Head:
    """Train one head from the folder's files, beside the other `artifacts`. Raise Invalid for a bad or missing file."""
    data, validation = task.read_all(folder, "train"), task.read_all(folder, "val")
    head, fitted = fit(task, data, embed(data.texts), artifacts)
    judged = data.where(fitted.unseen)
    unseen = np.vstack(
        [fitted.probabilities[fitted.unseen], head.probabilities(validation.texts, embed(validation.texts))]
    )
    head = replace(head, thresholds=_thresholds(task, judged.followed_by(validation), unseen))
    head.about.update(
        trained_on={path.name: file_sha256(path) for path in task.training_files(folder)},
        licence=task.licence,
        rows=len(data),
        embedder=f"{minilm.MODEL_NAME} {minilm.weights_sha256()[:12]}",
        adapter=adapter.sha256(artifacts / adapter.FOLDER.name),
        heads_read={name: heads.sha256(name, artifacts) for name in task.reads},
        created=clock.now().date().isoformat(),
        out_of_fold_auc=dict(zip(task.classes, fitted.auc(data), strict=True)),
        validation={
            path.name: evaluate(head, task.read(path), embed=embed).as_dict() for path in task.paths(folder, "val")
        },
    )
    return head


def evaluate(head: Head, data: Labelled, *, embed: Embed = minilm.read) -> metrics.Figures:
    """Judge a head on labelled texts."""
    return metrics.judge(head, head.probabilities(data.texts, embed(data.texts)), data)


def fit(task: Task, data: Labelled, read: NDArray[np.float32], artifacts: Path) -> tuple[Head, Fitted]:
    """Fit a head to texts with vectors and readings [N, 768]; also return what it says of texts it had not seen."""
    vectors, readings = np.split(read, 2, axis=1)
    words, word_terms = _terms(data.texts, WORD_OPTIONS, min_df=2, limit=task.num_words)
    chars, char_terms = _terms(data.texts, CHAR_OPTIONS, min_df=3, limit=task.num_chars)
    likeness = Likeness.to(example_sentences(), vectors) if task.has_examples else None
    others = heads.Bank([heads.load(name, artifacts) for name in task.reads]) if task.reads else None
    dense = [
        task.vector_scale * vectors,
        task.reading_scale * readings,
        task.surface_scale * surface(data.texts),
        likeness.of(vectors) if likeness else vectors[:, :0],
        READS_SCALE * heads.as_evidence(others.probabilities(data.texts, read)) if others else vectors[:, :0],
    ]
    features = hstack([words, chars, *map(csr_matrix, dense)], format="csr")
    outputs = _Outputs.of(task, adapter.load(artifacts / adapter.FOLDER.name)) if task.adapts else None
    terms = words.shape[1] + chars.shape[1]
    fitted = (_fit_exclusive if task.exclusive else _fit_each)(
        task, data, features, terms, outputs.logits(readings) if outputs else None
    )
    ends = np.cumsum([terms, *(part.shape[1] for part in dense)])[:-1]
    sparse_weights, vector_weights, reading_weights, surface_weights, likeness_weights, reads_weights = np.split(
        fitted.weights, ends, axis=1
    )
    vector_weights, reading_weights = task.vector_scale * vector_weights, task.reading_scale * reading_weights
    bias = fitted.bias
    if likeness:
        more_weights, more_bias = likeness.folded(likeness_weights)
        vector_weights, bias = vector_weights + more_weights, bias + more_bias
    if outputs:
        reading_weights, bias = fitted.shares @ outputs.weights, bias + fitted.shares @ outputs.bias
    head = Head(
        task=task.name,
        version=f"{task.name}_{clock.now():%Y%m%d}",
        classes=task.classes,
        exclusive=task.exclusive,
        languages=("en",),
        words=word_terms,
        chars=char_terms,
        sparse_weights=sparse_weights.astype(np.float32),
        read_weights=np.hstack([vector_weights, reading_weights]).astype(np.float32),
        surface_weights=(task.surface_scale * surface_weights).astype(np.float32),
        bias=bias.astype(np.float32),
        thresholds=_thresholds(task, data.where(fitted.unseen), fitted.probabilities[fitted.unseen]),
        reads=tuple(others.keys) if others else (),
        reads_weights=(READS_SCALE * reads_weights).astype(np.float32) if others else None,
        folder=artifacts,
    )
    return head, fitted


@dataclass(frozen=True)
class _Outputs:
    """What the adapter learned to say about one task: logits [N, C] from readings [N, 384]."""

    weights: NDArray[np.float32]
    bias: NDArray[np.float32]

    @classmethod
    def of(cls, task: Task, change: Adapter) -> _Outputs:
        places = [change.outputs.index((task.name, name)) for name in task.classes]
        return cls(change.output_weights[places], change.output_bias[places])

    def logits(self, readings: NDArray[np.float32]) -> NDArray[np.float32]:
        return readings @ self.weights.T + self.bias


def _terms(texts: list[str], options: dict[str, Any], *, min_df: int, limit: int) -> tuple[csr_matrix, Terms]:
    vectorizer = TfidfVectorizer(
        sublinear_tf=True, lowercase=False, dtype=np.float32, min_df=min_df, max_features=limit, **options
    )
    matrix = vectorizer.fit_transform(texts)
    return matrix, Terms(tuple(vectorizer.get_feature_names_out()), vectorizer.idf_)


def _is_collected(task: Task, cells: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Which rows, by source and class (2 * source + class), people wrote: all but the made-up statements.

    Those kept back resemble those learned from too much to tell how far to believe a model.
    """
    return cells < 2 * len(task.files) if task.made_up else np.ones(len(cells), dtype=bool)


def _regression(task: Task) -> LogisticRegression:
    solver = "lbfgs" if task.exclusive else "liblinear"  # the latter is faster on many rare features
    return LogisticRegression(C=task.inverse_regularisation, max_iter=MAX_ITERATIONS, solver=solver)


def _regressed(
    task: Task, features: csr_matrix, labels: NDArray[np.integer], cells: NDArray[np.int64], terms: int
) -> LogisticRegression:
    """A regression fitted with every cell counting alike; the first `terms` features are n-grams."""
    weights = _balanced(task, cells)
    scale = np.ones(features.shape[1])
    if task.evidence_power:
        scale[:terms] = _evidence(features[:, :terms], labels, weights) ** task.evidence_power
    model = _regression(task).fit(features @ diags(scale), labels, sample_weight=weights)
    model.coef_ = model.coef_ * scale  # for the features as they are
    return model


def _evidence(features: csr_matrix, labels: NDArray[np.integer], weights: NDArray[np.float64]) -> NDArray[np.float64]:
    """How much each n-gram tells by itself, one in the mean: the naive Bayes log-count ratio of NBSVM.

    Wang and Manning, "Baselines and Bigrams: Simple, Good Sentiment and Topic Classification", 2012.
    """
    has = (features > 0).T.astype(np.float64)
    of_class = [SMOOTHING + has @ (weights * (labels == label)) for label in (0, 1)]
    no, yes = (counts / counts.sum() for counts in of_class)
    ratio = np.abs(np.log(yes / no))
    return ratio / ratio.mean()


def _balanced(task: Task, cells: NDArray[np.int64]) -> NDArray[np.float64]:
    """Weights with which every source and class together count alike, however many rows they have.

    The made-up statements, the last source of their task, count less.
    """
    _, cell, sizes = np.unique(cells, return_inverse=True, return_counts=True)
    weights = len(cells) / (len(sizes) * sizes[cell])
    return np.where(_is_collected(task, cells), 1.0, task.made_up_weight) * weights


def _scores(
    task: Task,
    features: csr_matrix,
    labels: NDArray[np.integer],
    cells: NDArray[np.int64],
    unseen: NDArray[np.bool_],
    terms: int,
    *,
    in_folds: bool,
) -> NDArray[np.float64]:
    """Decision values by models that had not seen the text, of the rows that are to be `unseen`.

    One model of the other rows judges them. Or five, of the other rows and of four fifths of these, which hold sources
    and classes alike.
    """
    rows, others = np.flatnonzero(unseen), np.flatnonzero(~unseen)
    parts = [(others, rows)]
    if in_folds:
        parts = [(np.append(rows[seen], others), rows[judged]) for seen, judged in _folds().split(rows, cells[rows])]
    found = []
    for seen, judged in parts:
        model = _regressed(task, features[seen], labels[seen], cells[seen], terms)
        found.append(model.decision_function(features[judged]))
    scores = np.zeros((len(labels), *found[0].shape[1:]))
    scores[np.concatenate([judged for _, judged in parts])] = np.concatenate(found)
    return scores


def _folds() -> StratifiedKFold:
    return StratifiedKFold(FOLDS, shuffle=True, random_state=SEED)


def _fit_each(task: Task, data: Labelled, features: csr_matrix, terms: int, outputs: Logits | None) -> Fitted:
    """One regression a class against the rest, each on the rows whose label is known."""
    num_classes = len(task.classes)
    fitted = Fitted(
        weights=np.zeros((num_classes, features.shape[1])),
        bias=np.zeros(num_classes),
        shares=np.zeros((num_classes, num_classes)),
        probabilities=np.zeros(data.labels.shape),
        unseen=data.sources < len(task.files) if outputs is None else data.kept_back,
    )
    for number in range(num_classes):
        known = data.labels[:, number] != UNKNOWN
        labels, cells = data.labels[known, number], 2 * data.sources[known] + data.labels[known, number]
        model = _regressed(task, features[known], labels, cells, terms)
        unseen = fitted.unseen[known]
        scores = _scores(task, features[known], labels, cells, unseen, terms, in_folds=outputs is None)[:, None]
        if outputs is not None:
            scores = np.hstack([scores, outputs[known, number, None]])
        # the balanced weights of the fit leave its probabilities too high for rare classes
        weighing = _weighing(scores, labels, unseen & _is_collected(task, cells))
        own, *of_outputs = weighing.coef_[0]
        fitted.weights[number] = own * model.coef_[0]
        fitted.bias[number] = own * model.intercept_[0] + weighing.intercept_[0]
        fitted.shares[number, number] = of_outputs[0] if of_outputs else 0.0
        fitted.probabilities[known, number] = weighing.predict_proba(scores)[:, 1]
    return fitted


def _fit_exclusive(task: Task, data: Labelled, features: csr_matrix, terms: int, outputs: Logits | None) -> Fitted:
    """One softmax over all classes."""
    labels = data.labels.argmax(axis=1)
    unseen = np.ones(len(data), dtype=bool) if outputs is None else data.kept_back
    model = _regressed(task, features, labels, labels, terms)
    scores = _scores(task, features, labels, labels, unseen, terms, in_folds=outputs is None)
    if outputs is not None:
        scores = np.hstack([scores, outputs])
    weighing = _weighing(scores, labels, unseen)
    own, of_outputs = weighing.coef_[:, : len(task.classes)], weighing.coef_[:, len(task.classes) :]
    return Fitted(
        weights=own @ model.coef_,
        bias=own @ model.intercept_ + weighing.intercept_,
        shares=of_outputs if outputs is not None else np.zeros_like(own),
        probabilities=weighing.predict_proba(scores),
        unseen=unseen,
    )


def _weighing(
    scores: NDArray[np.float64], labels: NDArray[np.integer], unseen: NDArray[np.bool_]
) -> LogisticRegression:
    """How far to believe scores [N, S] of models that had not seen the texts: Platt scaling, of several at once."""
    return LogisticRegression(C=1e3, max_iter=MAX_ITERATIONS).fit(scores[unseen], labels[unseen])


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
    """Where macro-F1, averaged over the sources, is best: the mean of all cuts in log odds, by how close they come.

    The single best cut hangs on one or two texts, and so differs from one training to the next.
    """

    def score(cut: float) -> float:
        of_source = [sources == source for source in np.unique(sources)]
        return float(np.mean([f1_score(labels[s], probabilities[s] >= cut, average="macro") for s in of_source]))

    scores = np.array([score(cut) for cut in heads.sigmoid(CUTS)])
    return float(heads.sigmoid(np.average(CUTS, weights=np.exp((scores - scores.max()) / CLOSE))))


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

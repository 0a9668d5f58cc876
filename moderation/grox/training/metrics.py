"""Figures of merit for labelled predictions. Unknown labels are left out, class by class."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import average_precision_score, precision_recall_fscore_support, roc_auc_score

from moderation.grox.classifiers.heads import Head
from moderation.grox.training.datasets import UNKNOWN, Labelled


@dataclass(frozen=True)
class ClassFigures:
    """One class against the rest. AUC and average precision need both kinds of example."""

    name: str
    support: int
    precision: float
    recall: float
    f1: float
    auc: float | None
    average_precision: float | None


@dataclass(frozen=True)
class Figures:
    """Macro-F1: over classes if exclusive or many, over "no" and "yes" if there is one class."""

    rows: int
    macro_f1: float
    classes: list[ClassFigures]
    best_topic: float | None = None

    def as_dict(self) -> dict[str, object]:
        return asdict(self)


def judge(head: Head, probabilities: NDArray[np.float32], data: Labelled) -> Figures:
    """Compare a head's probabilities [N, C] with the labels of the same rows."""
    decisions = head.decide(probabilities)
    classes = [
        _class_figures(name, data.labels[:, i], decisions[:, i], probabilities[:, i])
        for i, name in enumerate(head.classes)
    ]
    return Figures(len(data), _macro_f1(head, decisions, data), classes, _best_topic(head, probabilities, data))


def by_kind(head: Head, probabilities: NDArray[np.float32], data: Labelled, kinds: Sequence[str]) -> dict[str, float]:
    """The share of right decisions in every kind of a functional test, kinds in their order."""
    right = (head.decide(probabilities) == data.labels).all(axis=1)
    return {kind: float(right[[each == kind for each in kinds]].mean()) for kind in dict.fromkeys(kinds)}


def _class_figures(
    name: str, labels: NDArray[np.int8], decisions: NDArray[np.int8], scores: NDArray[np.float32]
) -> ClassFigures:
    known = labels != UNKNOWN
    labels, decisions, scores = labels[known], decisions[known], scores[known]
    precision, recall, f1, _ = precision_recall_fscore_support(labels, decisions, average="binary", zero_division=0)
    both = 0 < labels.sum() < len(labels)
    return ClassFigures(
        name=name,
        support=int(labels.sum()),
        precision=float(precision),
        recall=float(recall),
        f1=float(f1),
        auc=float(roc_auc_score(labels, scores)) if both else None,
        average_precision=float(average_precision_score(labels, scores)) if both else None,
    )


def _macro_f1(head: Head, decisions: NDArray[np.int8], data: Labelled) -> float:
    per_class = []
    for index in range(len(head.classes)):
        known = data.labels[:, index] != UNKNOWN
        labels, decided = data.labels[known, index], decisions[known, index]
        sides = [0, 1] if len(head.classes) == 1 else [1]
        scores = precision_recall_fscore_support(labels, decided, labels=sides, zero_division=0)[2]
        per_class.extend(scores)
    return float(np.mean(per_class))


def _best_topic(head: Head, probabilities: NDArray[np.float32], data: Labelled) -> float | None:
    """Share of rows whose likeliest class is among the right ones; only for many independent classes."""
    if head.exclusive or len(head.classes) == 1 or (data.labels == UNKNOWN).any():
        return None
    rows = np.arange(len(data))
    return float(data.labels[rows, probabilities.argmax(axis=1)].mean())

"""Screens documents with the embedded heads: probabilities, then flags and policy violations.

Pure functions over batches. The same code judges one new post and a hundred thousand old ones.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from moderation.grox.classifiers import heads
from moderation.grox.classifiers.schemas import PolicyResult, SafetyResult, Violation
from moderation.grox.documents import Document
from moderation.grox.labelling import flags_of
from moderation.grox.policies import Category, PolicyBook, Signal, policy_book

#: Words by which a text speaks to or of somebody: insults and threats need one, things have none.
_TARGETS = frozenset(
    {"you", "your", "u", "ur", "yourself", "he", "she", "him", "her", "they", "them", "these", "those"}
    | {"everyone", "everybody", "all", "people", "men", "women", "guys", "idiots", "@user"}
)
BATCH = 4_096
#: Of Yahoo's open_nsfw, whose authors call 0.8 and more explicit with high probability and below 0.2 safe.
NUDITY_ENFORCED, NUDITY_REVIEWED = 0.8, 0.5


@dataclass(frozen=True)
class Scores:
    """Probabilities of one document by (head, class); empty when it was not scored."""

    not_scored: str = ""
    values: dict[tuple[str, str], float] = field(default_factory=dict)
    versions: dict[str, str] = field(default_factory=dict)


def score(documents: Sequence[Document], *, tasks: Sequence[str] = ()) -> list[Scores]:
    """Run the heads that the policies read, or those named, over the documents they can judge."""
    names = sorted(tasks or policy_book().heads)
    answers = [Scores(document.not_scored) for document in documents]
    rows = [row for row, document in enumerate(documents) if not document.not_scored]
    for start in range(0, len(rows), BATCH):
        batch = rows[start : start + BATCH]
        for row, scores in zip(batch, _score_batch([documents[row] for row in batch], names), strict=True):
            answers[row] = scores
    return answers


def _score_batch(documents: list[Document], names: list[str]) -> list[Scores]:
    bank = heads.bank(tuple(names))
    versions = {head.task: head.version for head in bank.heads}
    read = np.hstack([np.stack([d.vector for d in documents]), np.stack([d.reading for d in documents])])
    rows = bank.probabilities([document.text for document in documents], read).round(4).tolist()
    return [Scores("", dict(zip(bank.keys, row, strict=True)), versions) for row in rows]


class BatchScores:
    """The scores of a batch of documents, computed together when the first of them is asked for."""

    def __init__(self, documents: Sequence[Document]) -> None:
        self._documents = documents

    @cached_property
    def _scores(self) -> dict[int, Scores]:
        scores = score(self._documents)
        return {document.post_id: row for document, row in zip(self._documents, scores, strict=True)}

    def of(self, post_id: int) -> Scores:
        """The scores of one post of the batch."""
        return self._scores[post_id]


def policies_violated(document: Document, scores: Scores, *, book: PolicyBook | None = None) -> PolicyResult:
    """Find violations, highest score first: those to enforce, and those a person should look at."""
    violations: list[Violation] = []
    review: list[Violation] = []
    for category in (book or policy_book()).categories:
        found = _strongest(category, document, scores)
        if found:
            violation, is_enforced = found
            (violations if is_enforced else review).append(violation)
    return PolicyResult(violations=_by_score(violations), review=_by_score(review))


def _strongest(category: Category, document: Document, scores: Scores) -> tuple[Violation, bool] | None:
    """The category's violation with the best claim, and whether it is enforced."""
    if rule := category.rule_hit(document.text):
        policy, confidence = rule
        return Violation(category=category.name, policy=policy, score=100 * confidence, reason="rule"), True
    candidates = [
        (probability >= signal.enforce, probability, signal)
        for signal in category.signals
        if (probability := _strength(signal, document, scores)) >= signal.review
    ]
    if not candidates:
        return None
    is_enforced, probability, signal = max(candidates, key=lambda c: c[:2])
    violation = Violation(
        category=category.name,
        policy=signal.policy or category.policy_of(document.text),
        score=round(100 * probability, 1),
        reason=" and ".join(f"{head}.{name}" for head, name in signal.all_of),
    )
    return violation, is_enforced


def _strength(signal: Signal, document: Document, scores: Scores) -> float:
    if signal.needs_media and not document.has_media:
        return 0.0
    if signal.needs_target and not has_target(document):
        return 0.0
    return min(scores.values.get(pair, 0.0) for pair in signal.all_of)


def has_target(document: Document) -> bool:
    """Whether the text speaks to or of people."""
    return document.mentions_someone or not _TARGETS.isdisjoint(document.text.replace(",", " ").split())


def _by_score(violations: list[Violation]) -> list[Violation]:
    return sorted(violations, key=lambda violation: -violation.score)


def safety_of(document: Document, scores: Scores) -> SafetyResult:
    """The post safety screen: flags from the enforced violations, and whether something was close."""
    result = policies_violated(document, scores)
    return SafetyResult(
        flags=flags_of(result.violations),
        is_borderline=bool(result.review),
        scores={f"{head}.{name}": value for (head, name), value in scores.values.items()},
    )


def nudity_of(document: Document) -> tuple[Violation | None, Violation | None]:
    """What the picture model alone says: a violation to enforce, or one that a person should look at."""
    if document.nudity < NUDITY_REVIEWED:
        return None, None
    model = next((row.versions.get("nudity", "") for row in document.media if row.nudity == document.nudity), "")
    found = Violation(category="AdultContent", policy="SexualHard", score=round(100 * document.nudity, 1), reason=model)
    return (found, None) if document.nudity >= NUDITY_ENFORCED else (None, found)

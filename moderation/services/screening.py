"""Screening many posts at once: what Grox does to one new post, done to a whole world in batches."""

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
from django.db import connection, transaction
from numpy.typing import NDArray

from moderation.grox import labelling, screening
from moderation.grox.classifiers.schemas import PolicyResult
from moderation.grox.documents import Document, documents_of
from moderation.grox.embedders import minilm
from moderation.grox.policies import policy_book
from moderation.grox.screening import Scores
from moderation.grox.text import normalise
from moderation.models import PostAnnotation, PostFlags, PostLabel
from moderation.services.labels import NewLabel
from moderation.types import AnnotationState, LabelSource
from posts.models import PostEmbedding
from xsocial.kernel import clock

ROWS = 5_000  # per statement


def embed_texts(texts: Sequence[str]) -> NDArray[np.float32]:
    """Embed raw post texts: float32 [N, 384], unit rows (MiniLM; version `minilm_v1`); equal texts once."""
    return minilm.embed([normalise(text) for text in texts])


@dataclass(frozen=True)
class Screened:
    """What a bulk run found: vectors [N, 384] in the order asked, languages, and how many got each label."""

    vectors: NDArray[np.float32]
    languages: list[str]
    labels: Counter[str]


def bulk_screen(post_ids: Sequence[int], texts: Sequence[str], *, unscored_media_ids: Collection[int] = ()) -> Screened:
    """Embed, judge and label posts that nobody has screened yet, and store the results.

    Posts in `unscored_media_ids` carry media that nothing here has judged: they get no all-clear.
    No events are published: use it before anything caches these posts. May be run again; what a post
    already has stays.
    """
    documents = documents_of(post_ids, texts)
    outcomes = [
        _outcome(document, scores, has_unscored_media=document.post_id in unscored_media_ids)
        for document, scores in zip(documents, screening.score(documents), strict=True)
    ]
    vectors = np.stack([document.vector for document in documents]) if documents else minilm.embed([])
    with transaction.atomic():
        _store_vectors(documents)
        _store_outcomes(outcomes)
    counts = Counter(str(new.label) for outcome in outcomes for new in outcome.labels)
    return Screened(vectors, [document.language for document in documents], counts)


@dataclass(frozen=True)
class _Outcome:
    document: Document
    result: PolicyResult
    labels: list[NewLabel]
    not_scored: str
    versions: dict[str, str]


def _outcome(document: Document, scores: Scores, *, has_unscored_media: bool) -> _Outcome:
    reason = document.not_scored or ("media" if has_unscored_media else "")
    if document.not_scored:
        result, proposals = PolicyResult(), []
    else:
        result = screening.policies_violated(document, scores)
        proposals = labelling.policy_labels(result.violations, has_media=has_unscored_media, language=document.language)
    if reason:
        proposals = [*proposals, labelling.not_scored_label(reason)]
    else:
        flags = labelling.flags_of(result.violations)
        proposals = [*proposals, labelling.suitability_label(flags, is_borderline=bool(result.review))]
    version = policy_book().version
    return _Outcome(document, result, [new_label(p, version) for p in proposals], reason, scores.versions)


def new_label(proposal: labelling.Proposal, version: str) -> NewLabel:
    """A proposal of the labelling rules as a label to store."""
    return NewLabel(
        label=proposal.label,
        rule=proposal.rule,
        rule_id=proposal.rule_id,
        version=version,
        score=proposal.score,
        evidence=dict(proposal.evidence),
    )


def _store_vectors(documents: list[Document]) -> None:
    """Write vectors with COPY; posts that have one keep it."""
    rows = [document for document in documents if document.has_text]
    known = set(
        PostEmbedding.objects.filter(post_id__in=[row.post_id for row in rows], model=minilm.VERSION).values_list(
            "post_id", flat=True
        )
    )
    now = clock.now()
    statement = "COPY posts_postembedding (post_id, model, vector, created_at) FROM STDIN"
    with connection.cursor() as cursor, cursor.copy(statement) as copy:
        for row in rows:
            if row.post_id not in known:
                copy.write_row((row.post_id, minilm.VERSION, _as_text(row.vector), now))


def _as_text(vector: NDArray[np.float32]) -> str:
    return "[" + ",".join(f"{value:.6g}" for value in vector.tolist()) + "]"


def _store_outcomes(outcomes: list[_Outcome]) -> None:
    now = clock.now()
    PostLabel.objects.bulk_create(
        (
            PostLabel(
                post_id=outcome.document.post_id,
                label=new.label,
                source=LabelSource.GROX,
                rule=new.rule,
                rule_id=new.rule_id,
                version=new.version,
                score=new.score,
                evidence=dict(new.evidence),
                evidence_hash=new.evidence_hash,
                applied_at=now,
            )
            for outcome in outcomes
            for new in outcome.labels
        ),
        batch_size=ROWS,
        ignore_conflicts=True,
    )
    PostAnnotation.objects.bulk_create(
        (
            PostAnnotation(
                post_id=outcome.document.post_id,
                plan="safety_ptos",
                stream="bulk",
                state=AnnotationState.NOT_SCORED if outcome.not_scored else AnnotationState.DONE,
                reason=outcome.not_scored,
                result=outcome.result.model_dump(),
                versions=outcome.versions,
                created_at=now,
            )
            for outcome in outcomes
        ),
        batch_size=ROWS,
    )
    flagged = [outcome for outcome in outcomes if outcome.result.violations or outcome.result.review]
    PostFlags.objects.bulk_create(
        (
            PostFlags(
                post_id=outcome.document.post_id,
                is_borderline=bool(outcome.result.review),
                **labelling.flags_of(outcome.result.violations).model_dump(),
            )
            for outcome in flagged
        ),
        batch_size=ROWS,
        ignore_conflicts=True,
    )

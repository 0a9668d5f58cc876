"""Screening many posts at once: what Grox does to one new post, done to a whole world in batches."""

import json
from collections import Counter, deque
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import orjson
from django.db import connection, transaction
from django.db.models import Model
from numpy.typing import NDArray
from psycopg import sql

from moderation.grox import labelling, screening
from moderation.grox.classifiers.schemas import PolicyResult
from moderation.grox.documents import Document, documents_of
from moderation.grox.embedders import minilm
from moderation.grox.policies import policy_book
from moderation.grox.screening import Scores
from moderation.grox.text import normalise
from moderation.models import PostAnnotation, PostFlags, PostLabel
from moderation.services.labels import NewLabel, new_label
from moderation.types import AnnotationState, LabelSource
from moderation.visibility.rules import WITHHOLDING
from posts import services as posts
from posts.models import PostEmbedding
from xsocial.kernel import clock

STREAM = "bulk"
PLAN = "safety_ptos"
ROWS = 5_000  # per statement
CHUNK = 1_000  # posts judged and stored together
CHUNKS_AHEAD = 4  # read and embedded before they are asked for
REBUILD_INDEX_ROWS = 5_000


def embed_texts(texts: Sequence[str]) -> NDArray[np.float32]:
    """Embed raw post texts: float32 [N, 384], unit rows (MiniLM; version `minilm_v1`); equal texts once."""
    return minilm.embed([normalise(text) for text in texts])


@dataclass(frozen=True)
class Screened:
    """What a bulk run found: vectors [N, 384] in the order asked, languages, and how many got each label."""

    vectors: NDArray[np.float32]
    languages: list[str]
    labels: Counter[str]


@dataclass(frozen=True)
class _Outcome:
    document: Document
    result: PolicyResult
    labels: list[NewLabel]
    not_scored: str
    scores: Scores


def bulk_screen(
    post_ids: Sequence[int],
    texts: Sequence[str],
    *,
    unscored_media_ids: Collection[int] = (),
    progress: Callable[[int], object] = lambda count: None,
) -> Screened:
    """Embed, judge and label posts that nobody has screened yet, and store the results.

    Posts in `unscored_media_ids` carry media that nothing here has judged: they get no all-clear.
    No events are published: use it before anything caches these posts. May be run again; what a post
    already has stays. Posts are stored chunk by chunk; `progress` hears of each how many posts it had.
    """
    vectors = np.zeros((len(texts), minilm.DIMENSIONS), dtype=np.float32)
    languages = [""] * len(texts)
    counts: Counter[str] = Counter()
    num_known = PostEmbedding.objects.filter(post_id__in=post_ids, model=minilm.VERSION).count()
    with _index_set_aside(len(texts) - num_known):
        for places, documents in _documents(post_ids, texts):
            outcomes = [
                _outcome(document, scores, has_unscored_media=document.post_id in unscored_media_ids)
                for document, scores in zip(documents, screening.score(documents), strict=True)
            ]
            _store_vectors(documents)
            _store_outcomes(outcomes)
            vectors[places] = [document.vector for document in documents]
            for place, document in zip(places, documents, strict=True):
                languages[place] = document.language
            counts.update(str(new.label) for outcome in outcomes for new in outcome.labels)
            progress(len(documents))
    return Screened(vectors, languages, counts)


def _documents(post_ids: Sequence[int], texts: Sequence[str]) -> Iterator[tuple[list[int], list[Document]]]:
    """Chunks of documents with their places in `texts`, read and embedded ahead of the reader.

    Like texts come together: equal ones share a chunk and are embedded once.
    """
    order = sorted(range(len(texts)), key=texts.__getitem__)
    chunks = [order[start : start + CHUNK] for start in range(0, len(order), CHUNK)]

    def read(places: list[int]) -> list[Document]:
        return documents_of([post_ids[place] for place in places], [texts[place] for place in places])

    with minilm.one_core_each() as pool:
        ahead = deque((places, pool.submit(read, places)) for places in chunks[:CHUNKS_AHEAD])
        for number in range(len(chunks)):
            places, reading = ahead.popleft()
            if number + CHUNKS_AHEAD < len(chunks):
                following = chunks[number + CHUNKS_AHEAD]
                ahead.append((following, pool.submit(read, following)))
            yield places, reading.result()


def _outcome(document: Document, scores: Scores, *, has_unscored_media: bool) -> _Outcome:
    reason = document.not_scored or ("media" if has_unscored_media else "")
    if document.not_scored:
        result, proposals = PolicyResult(), []
    else:
        result = screening.policies_violated(document, scores)
        proposals = labelling.policy_labels(
            result.violations, has_media=has_unscored_media, language=document.language, text_hash=document.text_hash
        )
    if reason:
        proposals = [*proposals, labelling.not_scored_label(reason)]
    else:
        flags = labelling.flags_of(result.violations)
        proposals = [*proposals, labelling.suitability_label(flags, is_borderline=bool(result.review))]
    version = policy_book().version
    return _Outcome(document, result, [new_label(p, version) for p in proposals], reason, scores)


def _store_vectors(documents: list[Document]) -> None:
    """Write the vectors of posts that have none yet."""
    ids = [document.post_id for document in documents if document.has_text]
    known = set(PostEmbedding.objects.filter(post_id__in=ids, model=minilm.VERSION).values_list("post_id", flat=True))
    now = clock.now()
    rows = (
        (document.post_id, minilm.VERSION, _as_text(document.vector), now)
        for document in documents
        if document.has_text and document.post_id not in known
    )
    _copy(PostEmbedding, ("post_id", "model", "vector", "created_at"), rows)


def _as_text(vector: NDArray[np.float32]) -> str:
    return orjson.dumps(vector, option=orjson.OPT_SERIALIZE_NUMPY).decode()


@contextmanager
def _index_set_aside(num_rows: int) -> Iterator[None]:
    """Drop the nearest-neighbour index during a large load: building it once is several times faster.

    Not inside somebody else's transaction, whose unfinished checks forbid changing the table.
    """
    if num_rows < REBUILD_INDEX_ROWS or connection.in_atomic_block:
        yield
        return
    index = next(index for index in PostEmbedding._meta.indexes if "hnsw" in index.name)
    with connection.schema_editor() as editor:
        editor.remove_index(PostEmbedding, index)
    try:
        yield
    finally:
        with connection.schema_editor() as editor:
            editor.execute("SET LOCAL maintenance_work_mem = '256MB'")
            editor.add_index(PostEmbedding, index)


def _copy(model: type[Model], columns: tuple[str, ...], rows: Iterable[tuple[object, ...]]) -> None:
    """Append rows to a model's table with COPY."""
    statement = sql.SQL("COPY {} ({}) FROM STDIN").format(
        sql.Identifier(model._meta.db_table), sql.SQL(", ").join(map(sql.Identifier, columns))
    )
    with transaction.atomic(), connection.cursor() as cursor, cursor.copy(statement) as copy:
        for row in rows:
            copy.write_row(row)


_LABEL_COLUMNS = (
    "post_id", "label", "source", "rule", "rule_id", "version", "score", "evidence", "evidence_hash", "applied_at",
    "lifted_reason",
)  # fmt: skip
_ANNOTATION_COLUMNS = (
    "post_id", "plan", "state", "stream", "run_id", "attempt", "result", "versions", "reason", "milliseconds",
    "created_at",
)  # fmt: skip


def _store_outcomes(outcomes: list[_Outcome]) -> None:
    """Write labels, annotations and flags of posts that no bulk run has annotated before."""
    ids = [outcome.document.post_id for outcome in outcomes]
    known = set(PostAnnotation.objects.filter(post_id__in=ids, stream=STREAM).values_list("post_id", flat=True))
    fresh = [outcome for outcome in outcomes if outcome.document.post_id not in known]
    with transaction.atomic():
        _copy(PostLabel, _LABEL_COLUMNS, _label_rows(fresh))
        for outcome in fresh:
            if any(new.label in WITHHOLDING for new in outcome.labels):
                posts.withhold(outcome.document.post_id)
        _copy(PostAnnotation, _ANNOTATION_COLUMNS, map(_annotation_row, fresh))
        PostFlags.objects.bulk_create(
            (_flags(outcome) for outcome in fresh if outcome.result.violations or outcome.result.review),
            batch_size=ROWS,
            ignore_conflicts=True,
        )


def _label_rows(outcomes: list[_Outcome]) -> Iterator[tuple[object, ...]]:
    now = clock.now()
    for outcome in outcomes:
        for new in outcome.labels:
            evidence = json.dumps(dict(new.evidence))
            yield (
                outcome.document.post_id, str(new.label), str(LabelSource.GROX), new.rule, new.rule_id, new.version,
                new.score, evidence, new.evidence_hash, now, "",
            )  # fmt: skip


def _annotation_row(outcome: _Outcome) -> tuple[object, ...]:
    state = AnnotationState.NOT_SCORED if outcome.not_scored else AnnotationState.DONE
    scores = {f"{head}.{name}": value for (head, name), value in outcome.scores.values.items()}
    result = json.dumps({**outcome.result.model_dump(), "scores": scores})
    versions = json.dumps(outcome.scores.versions)
    return (
        outcome.document.post_id, PLAN, str(state), STREAM, "", 0, result, versions, outcome.not_scored,
        0.0, clock.now(),
    )  # fmt: skip


def _flags(outcome: _Outcome) -> PostFlags:
    flags = labelling.flags_of(outcome.result.violations)
    return PostFlags(post_id=outcome.document.post_id, is_borderline=bool(outcome.result.review), **flags.model_dump())

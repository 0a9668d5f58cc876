"""The two questions feed asks of Phoenix: which posts might this viewer like, and how would he act.

Plain values in, plain values out. Without a promoted model both raise Unavailable.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from django.db import connection

from posts.types import EngagementKind
from ranking.content import ContentCache
from ranking.features import (
    ASKED_POSITION,
    MATCH_LENGTH,
    RECENT_MS,
    CandidateTable,
    HistoryColumns,
    candidate_features,
    history_features,
)
from ranking.heads import multi_hot
from ranking.models import ModelVersion
from ranking.phoenix.actions import (
    action_names,
    continuous_names,
    continuous_units,
)
from ranking.phoenix.batch import Candidates, Context
from ranking.phoenix.config import PhoenixConfig
from ranking.phoenix.inference import workers
from ranking.phoenix.subjects import Subjects, subjects_of
from ranking.retrieval import vector_store
from ranking.sequences import Newest
from ranking.serving import live, named
from ranking.taste import taste_of
from ranking.types import ActionSequence, CandidateColumns, Floats, Int64s, Retrieved, Scores, Taste
from xsocial.kernel import clock, sql
from xsocial.kernel.errors import NotFound, Unavailable

COUNTED_KINDS = [
    int(kind)
    for kind in (
        EngagementKind.FAVORITE,
        EngagementKind.REPLY,
        EngagementKind.REPOST,
        EngagementKind.QUOTE,
    )
]
RECENT_SQL = f"""
SELECT {sql.packed("post_id")}, {sql.packed("1")} FROM posts_engagement
 WHERE post_id = ANY(%(ids)s::bigint[]) AND kind = ANY(%(kinds)s::smallint[])
   AND created_at >= %(since)s AND created_at < %(until)s
"""
VIEWS_SQL = f"""
SELECT {sql.packed("post_id")}, {sql.packed("views")} FROM posts_postcounts WHERE post_id = ANY(%(ids)s::bigint[])
"""
TOPIC_SQL = "SELECT DISTINCT post_id FROM posts_posttopic WHERE topic_id = ANY(%s)"

SHADOW_MODELS = 3

_content = ContentCache()


def keep_current() -> None:
    """Load the promoted models beside the requests, and follow what changes, as long as this process lives."""
    live.keep_current()


def ranker_version() -> str:
    """Name of the ranker that serves now, empty when none does."""
    try:
        return live.ranker.get().version
    except Unavailable:
        return ""


def is_registered(name: str, kind: str) -> bool:
    """Whether there is a model of this name and kind, serving or not."""
    return ModelVersion.objects.filter(name=name, kind=kind).exists()


def retrieve(
    *,
    user_id: int,
    sequence: ActionSequence,
    k: int,
    newer_than_ms: int,
    exclude_ids: Int64s | tuple[int, ...] = (),
    topic_ids: Int64s | tuple[int, ...] = (),
    version: str = "",
) -> Retrieved:
    """The k posts nearest to the viewer among those made after a moment, best first.

    ``version`` names a model other than the promoted one.

    With topics, only posts of these topics. The window in memory answers for the last 48 hours;
    earlier moments, and an empty window, are answered by pgvector.
    """
    model = named.retrieval(version)
    model.refresh()
    vector = _user_vector(model, sequence)
    options = {
        "k": k,
        "newer_than_ms": newer_than_ms,
        "exclude_ids": np.asarray(exclude_ids, dtype=np.int64),
        "only_ids": _posts_about(topic_ids) if len(topic_ids) else None,
    }
    if len(model.window):
        ids, scores = model.window.search(vector, **options)
    else:
        ids, scores = vector_store.search(model.model_id, vector, **options)
    return Retrieved(ids, scores, model.version)


def shadow_models() -> tuple[str, ...]:
    """Rankers that wait for promotion, newest first: what shadow traffic tries out."""
    waiting = ModelVersion.objects.filter(kind=ModelVersion.Kind.RANKER, status=ModelVersion.Status.CANDIDATE)
    return tuple(waiting.values_list("name", flat=True)[:SHADOW_MODELS])


def content_vectors(post_ids: Int64s) -> Floats:
    """Contents [N, 384] of posts as the models read them, zero where there are none; from memory where used lately."""
    return _content.get(post_ids)


def arithmetic_of(version: str) -> str:
    """What the promoted ranker computes in here, if it has that name: "float32" or "bfloat16"; else empty."""
    try:
        model = live.ranker.get()
    except Unavailable:
        return ""
    return model.arithmetic if model.version == version else ""


def viewer_taste(
    user_id: int, *, before_ms: int, version: str = "", actions: Callable[[], Newest] | None = None
) -> Taste:
    """What a person leans to by how long they looked at what they were shown before a moment.

    In terms of the subjects of the ranker ``version``, by default the promoted one. `actions` gives the newest
    ones before that moment, where somebody else is reading them meanwhile.
    """
    try:
        model = live.ranker_called(version) if version else live.ranker.get()
        subjects = subjects_of(model.checkpoint.model)
    except (NotFound, Unavailable):
        subjects = None
    return taste_of(user_id, before_ms=before_ms, content=_content, subjects=subjects, actions=actions)


def score(
    *,
    user_id: int,
    sequence: ActionSequence,
    candidates: CandidateColumns,
    now_ms: int,
    taste: Taste | None = None,
    version: str = "",
    arithmetic: str = "",
) -> Scores:
    """Probability of every action for every candidate; each is judged by itself, the history and the taste.

    ``version`` names a model other than the promoted one, ``arithmetic`` what it shall compute in.
    Raises NotFound, and Unavailable when it cannot be read.
    """
    model = live.ranker_called(version, arithmetic) if version else live.ranker.get()
    config = model.checkpoint.model.config
    matched = sequence.newest(MATCH_LENGTH)
    history = _history(matched)
    read = sequence.newest(config.history_seq_len)
    context = model.context(read.version(), lambda: model.runtime.encode(_context(user_id, read, config)))
    prepared = _candidates(candidates, history, config, now_ms, taste, subjects_of(model.checkpoint.model))
    output = model.runtime.rank(context, prepared, model.projections(prepared))
    logits = output.logits[0]
    slopes, shifts = continuous_units(continuous_names(config))
    return Scores(
        heads=action_names(config),
        probabilities=model.checkpoint.calibrated(logits).sigmoid().numpy(),
        raw_probabilities=logits.sigmoid().numpy(),
        continuous_names=continuous_names(config),
        continuous=output.continuous[0].numpy() * np.float32(slopes) + np.float32(shifts),
        model=model.version,
    )


def _user_vector(model: live.LiveRetrieval, sequence: ActionSequence) -> Floats:
    config = model.checkpoint.model.config
    read = sequence.newest(config.history_seq_len)

    def encode() -> Floats:
        return workers().submit(_encode_user, model, _context(read.user_id, read, config)).result()

    return model.viewer(read.version(), encode)


@torch.inference_mode()
def _encode_user(model: live.LiveRetrieval, context: Context) -> Floats:
    return model.checkpoint.model.encode_user(context, model.checkpoint.tables).vectors[0].numpy()


def _posts_about(topic_ids: Int64s | tuple[int, ...]) -> Int64s:
    with connection.cursor() as cursor:
        cursor.execute(TOPIC_SQL, [[int(topic) for topic in topic_ids]])
        return np.array([row[0] for row in cursor.fetchall()], dtype=np.int64)


def _history(sequence: ActionSequence) -> HistoryColumns:
    """One person's rows with a leading axis of 1."""
    return HistoryColumns(
        author_ids=sequence.author_ids[None],
        action_bits=sequence.action_bits[None],
        first_ms=sequence.first_ms[None],
        content=_content.get(sequence.post_ids)[None],
        valid=np.ones((1, len(sequence)), dtype=bool),
    )


def _pad(column: np.ndarray, length: int) -> torch.Tensor:
    """A history column [n, ...] as [1, length, ...], padding at the tail."""
    out = np.zeros((1, length, *column.shape[1:]), dtype=column.dtype)
    out[0, : len(column)] = column
    return torch.from_numpy(out)


def _context(user_id: int, sequence: ActionSequence, config: PhoenixConfig) -> Context:
    length = config.history_seq_len
    history = _history(sequence)
    features = history_features(history, names=config.history_feature_names)
    return Context(
        user_ids=torch.tensor([user_id]),
        post_ids=_pad(sequence.post_ids, length),
        author_ids=_pad(sequence.author_ids, length),
        actions=_pad(multi_hot(sequence.action_bits, action_names(config)), length),
        surface=_pad(sequence.surfaces, length),
        dwell_seconds=_pad(sequence.dwell_seconds, length),
        content=_pad(history.content[0], length),
        features=_pad(features[0], length),
    )


def _candidates(
    columns: CandidateColumns,
    history: HistoryColumns,
    config: PhoenixConfig,
    now_ms: int,
    taste: Taste | None = None,
    subjects: Subjects | None = None,
) -> Candidates:
    content = _content.get(columns.post_ids)[None]
    table = _table(columns, content, now_ms)
    names = config.candidate_feature_names
    features = workers().submit(candidate_features, history, table, taste, subjects, names=names).result()
    surface = np.broadcast_to(np.asarray(columns.surface, dtype=np.int64), (len(columns),))
    return Candidates(
        post_ids=torch.from_numpy(columns.post_ids[None]),
        author_ids=torch.from_numpy(columns.author_ids[None]),
        surface=torch.from_numpy(surface[None].copy()),
        impression_seconds=torch.full((1, len(columns)), now_ms // 1000),
        creation_seconds=torch.from_numpy(columns.created_ms[None] // 1000),
        content=torch.from_numpy(content),
        features=torch.from_numpy(features),
    )


def _table(columns: CandidateColumns, content: Floats, now_ms: int) -> CandidateTable:
    count = len(columns)
    zeros = np.zeros(count, dtype=np.int64)

    def column(values: np.ndarray | None) -> np.ndarray:
        return (zeros if values is None else np.asarray(values))[None]

    views, recent = columns.views, columns.recent_engagements
    return CandidateTable(
        author_ids=columns.author_ids[None],
        created_ms=columns.created_ms[None],
        at_ms=np.full((1, count), now_ms),
        favorites=column(columns.favorites),
        replies=column(columns.replies),
        reposts=column(columns.reposts),
        quotes=column(columns.quotes),
        views=column(_views(columns.post_ids) if views is None else views),
        recent=column(recent_engagements(columns.post_ids, now_ms) if recent is None else recent),
        is_author_followed=column(columns.is_author_followed).astype(bool),
        is_reply=column(columns.is_reply).astype(bool),
        has_media=column(columns.has_media).astype(bool),
        video_duration_ms=column(columns.video_duration_ms),
        is_quote=column(columns.is_quote).astype(bool),
        quoted_video_ms=column(columns.quoted_video_ms),
        position=np.full((1, count), ASKED_POSITION),
        content=content,
    )


def _sums(query: str, post_ids: Int64s, **params: object) -> Int64s:
    """By post asked for, the sum of the numbers that the query gives of it."""
    unique, place = np.unique(post_ids, return_inverse=True)
    found = sql.row(query, {"ids": sql.bigints(unique), **params}) or (None, None)
    counted, numbers = map(sql.unpacked, found)
    sums = np.zeros(len(unique), dtype=np.int64)
    np.add.at(sums, np.searchsorted(unique, counted), numbers)
    return sums[place]


def _views(post_ids: Int64s) -> Int64s:
    return _sums(VIEWS_SQL, post_ids)


def recent_engagements(post_ids: Int64s, now_ms: int) -> Int64s:
    """Likes, replies, reposts and quotes of the last hour."""
    since, until = clock.from_ms(now_ms - RECENT_MS), clock.from_ms(now_ms)
    return _sums(RECENT_SQL, post_ids, kinds=COUNTED_KINDS, since=since, until=until)

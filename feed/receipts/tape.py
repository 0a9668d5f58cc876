"""A load's inputs as its components read them, so that the load can be run again without the world.

Everything that came from outside is here: the hydrated query, the candidates with the columns that
filters, scorers and selectors read, what the impression filters answered, the topic tree, what
visibility and brand safety said, and the other items of the page. Of one filter only the verdicts are
kept, and content vectors are kept as digests; `docs/home-mixer.md` says why.
"""

from __future__ import annotations

import zlib
from dataclasses import asdict, dataclass, fields, replace
from typing import Any

import numpy as np

from feed.candidate_pipeline import Pipeline, Result
from feed.home_mixer import bloom, feed_item, topics
from feed.home_mixer.candidate import original_ids, related_ids
from feed.home_mixer.query import ScoredPostsQuery
from feed.receipts import fates
from feed.receipts.fates import Fates
from ranking import services as ranking

#: The filter of which the verdicts are kept: it reads texts, which are their authors' to edit and delete,
#: and muted words, which nobody else has to know.
BY_VERDICT = ("MutedKeywordFilter",)
#: Query fields that are kept in another way, that nothing after the sources reads, or that must not be kept.
NOT_TAPED = {
    "memo",
    "params",
    "weights",
    "cached_posts",
    "retrieval_sequence",
    "muted_keywords",
    "ip_address",
    "ip_location",
    "engagement_signals",
    "followed_grok_topics",
    "followed_starter_packs",
    "inferred_grok_topics",
    "user_demographics",
    "user_gender",
    "viewer_minhash",
}
#: Columns that no score and no verdict of ours follows from, and texts, which belong to their authors.
COLUMNS_NOT_TAPED = ("text", "related_texts", "raw_heads")
#: Codes of which a score and an order follow only while slates are spaced by them.
SPACING_COLUMNS = ("semantic_id",)
#: Lists of ids that are only ever compared with candidates: what is on neither side is left out.
COMPARED = ("seen_ids", "impressed_post_ids", "cursor_ids")

#: Columns that a scorer fills from a store because only the rows that reach it need them.
READ_WHILE_SCORING = ("recent",)


@dataclass(frozen=True)
class Tape:
    """See the module. ``late`` holds the post-selection columns of the rows in ``judged``;
    ``broken`` names components that failed or were late."""

    query: dict[str, Any]
    columns: dict[str, np.ndarray]
    fates: Fates
    judged: np.ndarray
    late: dict[str, np.ndarray]
    others: list[dict[str, Any]]
    broken: tuple[str, ...]
    topics: dict[int, int | None] | None = None  # the tree, where the load is about topics
    content: np.ndarray | None = None  # digests of the candidates' content vectors, where they were ranked

    def plain(self) -> dict[str, Any]:
        """As a dictionary of plain values and arrays."""
        own = {field.name: getattr(self, field.name) for field in fields(self)}
        return own | {"fates": [[list(rule) for rule in self.fates.rules], self.fates.of]}

    @classmethod
    def of(cls, plain: dict[str, Any]) -> Tape:
        """The tape again."""
        rules, of = plain["fates"]
        found = Fates(tuple((stage, name) for stage, name in rules), of)
        return cls(**plain | {"fates": found})


def record(pipeline: Pipeline, result: Result, inner: Result) -> Tape:
    """The tape of a page and of the inner run behind it."""
    own_fates = fates.of(inner, result)
    others = _others(result)
    judged, late = _judged(pipeline, inner, with_text=any(other.get("control", {}).get("keywords") for other in others))
    return Tape(
        query=_query(inner.query, inner),
        columns={
            name: inner.retrieved[name]
            for name in _columns_read(pipeline, inner.query)
            if name in ("post_id", *inner.retrieved.names())
        }
        | _read_while_scoring(inner, own_fates),
        fates=own_fates,
        judged=judged,
        late=late,
        others=others,
        broken=tuple(part.name for part in inner.faults),
        topics=topics.of_request(inner.query.memo).parents if _is_about_topics(inner.query) else None,
        content=None
        if inner.query.has_cached_posts
        else content_digests(original_ids(inner.retrieved)[ranked_rows(own_fates)]),
    )


def ranked_rows(found: Fates) -> np.ndarray:
    """Positions of the candidates that no filter left out before they were ranked."""
    early = [rule for rule, (stage, _) in enumerate(found.rules) if stage == "filters"]
    return np.flatnonzero(~np.isin(found.of, early))


def _is_about_topics(query: ScoredPostsQuery) -> bool:
    return bool(query.topic_ids or query.excluded_topic_ids or query.new_user_topic_ids)


def content_digests(post_ids: np.ndarray) -> np.ndarray:
    """Two bytes of each post's content vector, enough to tell that it changed; 0 where there is none."""
    vectors = np.ascontiguousarray(ranking.content_vectors(post_ids), dtype=np.float32)
    return np.array([zlib.crc32(row) & 0xFFFF if row.any() else 0 for row in vectors], np.uint16)


def _query(query: ScoredPostsQuery, inner: Result) -> dict[str, Any]:
    """Fields that differ from their defaults."""
    related = np.unique(np.concatenate(related_ids(inner.retrieved)))
    taped = {}
    for field in fields(query):
        value = getattr(query, field.name)
        if field.name in NOT_TAPED:
            continue
        if field.name == "viewer":
            value = replace(value, muted_keywords=())
        if field.name in COMPARED:
            value = np.intersect1d(value, related)
        if field.name == "bloom_filters" and value:
            value = (bloom.Answered(related[np.any([each.contains(related) for each in value], axis=0)]),)
        if not _is_empty(value):
            taped[field.name] = value
    return taped


def _is_empty(value: Any) -> bool:
    return value is None or (isinstance(value, (np.ndarray, str, tuple)) and len(value) == 0)


def _columns_read(pipeline: Pipeline, query: ScoredPostsQuery) -> list[str]:
    """What any stage after the hydrators reads, except what is kept as a verdict."""
    after = (
        *(part for part in pipeline.filters if part.name not in BY_VERDICT),
        *pipeline.scorers,
        pipeline.selector,
        *pipeline.post_selection_hydrators,
        *pipeline.post_selection_filters,
    )
    names = dict.fromkeys(name for part in after for name in (*part.reads, *part.writes))
    own = ("post_id", "author_id", "served_type", "source_rank", "in_reply_to_id", "repost_of_id", "repost_of_user_id")
    skipped = COLUMNS_NOT_TAPED if query.params.slate_diversity else (*COLUMNS_NOT_TAPED, *SPACING_COLUMNS)
    return [name for name in dict.fromkeys([*own, *names]) if name in pipeline.schema and name not in skipped]


def _read_while_scoring(inner: Result, found: Fates) -> dict[str, np.ndarray]:
    """What scorers read from outside for the candidates that reached them; missing for the others."""
    parts = [inner.selected, inner.non_selected, *(gone.rows for gone in inner.removed if gone.stage != "filters")]
    names = [name for name in READ_WHILE_SCORING if any(name in part for part in parts)]
    kept = ranked_rows(found)
    order = kept[np.argsort(inner.retrieved["post_id"][kept])]
    ids = np.concatenate([part["post_id"] for part in parts])
    rows = order[np.searchsorted(inner.retrieved["post_id"][order], ids)] if len(ids) else order
    columns = {}
    for name in names:
        columns[name] = inner.retrieved.schema[name].blank(inner.retrieved.n)
        columns[name][rows] = np.concatenate([part[name] for part in parts])
    return columns


def _judged(pipeline: Pipeline, inner: Result, *, with_text: bool) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """Positions of the selected rows, and what the post-selection hydrators wrote about them.

    Their texts are kept only where an ad on offer refuses words.
    """
    late_removed = [removed.rows for removed in inner.removed if removed.stage == "post_selection_filters"]
    read = {"visibility", "brand_safety", *(name for part in pipeline.post_selection_filters for name in part.reads)}
    names = [name for part in pipeline.post_selection_hydrators for name in part.writes if name in read]
    names += ["text"] if with_text else []
    cut = len(fates.overflow(inner))
    rest = inner.non_selected.take(np.arange(inner.non_selected.n - cut, inner.non_selected.n))
    parts = [inner.selected, *late_removed]
    places = [part.positions_in(inner.retrieved) for part in parts]
    if cut:
        ids = inner.retrieved["post_id"]
        kept = np.setdiff1d(np.arange(len(ids)), np.concatenate(places))
        places.append(np.array([kept[np.flatnonzero(ids[kept] == one)[0]] for one in rest["post_id"].tolist()]))
        parts.append(rest)
    columns = {name: np.concatenate([part[name] for part in parts]) for name in names}
    return np.concatenate(places), columns


def _others(result: Result) -> list[dict[str, Any]]:
    """What the outer sources found beside posts, placed or not, as the blender reads it."""
    kinds, items = result.retrieved["kind"].tolist(), result.retrieved["item"].tolist()
    found = [(kind, item) for kind, item in zip(kinds, items, strict=True) if kind != feed_item.POST]
    return [{"kind": kind, **_other(kind, item)} for kind, item in found]


def _other(kind: str, item: Any) -> dict[str, Any]:
    if kind == feed_item.AD:
        control = {"control": asdict(item.control)} if item.control else {}
        return {"id": item.id, "insert_position": item.insert_position, **control}
    if kind == feed_item.WHO_TO_FOLLOW:
        return {"id": item.user_ids[0], "user_ids": item.user_ids}
    if kind == feed_item.PUSH_TO_HOME:
        return {"id": item.post_id}
    return {"id": item.pk}

"""A page load run again from its tape: the same components, none of the stores.

Filters, scorers, selectors and the blender are those of today's code; what they read is what was
read then, and the model is the one that the receipt names, its files checked by their digest.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np

from ads.blending.types import AdjacencyControl, AdjacencyRisk
from feed.candidate_pipeline import (
    Batch,
    Budgets,
    Filter,
    Hydrator,
    Immediate,
    Inline,
    Pipeline,
    Source,
)
from feed.home_mixer import feed_item, topics
from feed.home_mixer.candidate import SCHEMA, original_ids
from feed.home_mixer.params import Params
from feed.home_mixer.query import ScoredPostsQuery, WeightsInForce
from feed.home_mixer.scorers.phoenix_scorer import PhoenixScorer
from feed.home_mixer.sources.scored_posts_source import ScoredPostsSource
from feed.home_mixer.topics import TopicTree
from feed.home_mixer.tuning import Tuning
from feed.models import Receipt
from feed.receipts import build, store
from feed.receipts.tape import BY_VERDICT, Tape, content_digests, ranked_rows
from ranking.models import ModelVersion
from xsocial.kernel.errors import Conflict, NotFound

PATIENT = Budgets(request_ms=600_000, stage_ms={})


@dataclass(frozen=True, slots=True)
class Place:
    """One item of a page, by what it is."""

    kind: str
    id: str
    score: float | None = None


@dataclass(frozen=True, slots=True)
class Moved:
    """An item whose place differs; places count from 1, None is "not on the page"."""

    kind: str
    id: str
    served: int | None
    replayed: int | None


@dataclass(frozen=True)
class Replayed:
    """A page as it was served and as it came out again, under these models and weights."""

    request_id: int
    model: str
    weight_set: int
    served: tuple[Place, ...]
    replayed: tuple[Place, ...]
    served_ledger: Mapping[str, frozenset[str]]
    replayed_ledger: Mapping[str, frozenset[str]]
    changed: tuple[str, ...] = ()  # posts whose content vector is another now than it was then
    broken: tuple[str, ...] = ()  # parts that failed this time

    @property
    def is_identical(self) -> bool:
        """The same items in the same order, and the same posts left out by the same rules."""
        same_order = [(p.kind, p.id) for p in self.served] == [(p.kind, p.id) for p in self.replayed]
        return same_order and self.served_ledger == self.replayed_ledger

    @property
    def largest_score_difference(self) -> float:
        """Over the posts on both pages."""
        again = {place.id: place.score for place in self.replayed if place.score is not None}
        return max(
            (
                abs(place.score - again[place.id])
                for place in self.served
                if place.score is not None and place.id in again
            ),
            default=0.0,
        )

    def moved(self) -> Iterator[Moved]:
        """Items that stand elsewhere, are new or are gone; in served order, new ones last."""
        before = {(p.kind, p.id): n for n, p in enumerate(self.served, start=1)}
        after = {(p.kind, p.id): n for n, p in enumerate(self.replayed, start=1)}
        for key in dict.fromkeys([*before, *after]):
            if before.get(key) != after.get(key):
                yield Moved(*key, before.get(key), after.get(key))

    def plain(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "request_id": str(self.request_id),
            "model": self.model,
            "weight_set": self.weight_set,
            "identical": self.is_identical,
            "largest_score_difference": self.largest_score_difference,
            "items": [{"kind": p.kind, "id": p.id, "score": p.score} for p in self.replayed],
            "changed_content": list(self.changed),
            "moved": [{"kind": m.kind, "id": m.id, "served": m.served, "replayed": m.replayed} for m in self.moved()],
        }


def replay(
    row: Receipt,
    pipelines: tuple[Pipeline, Pipeline],
    *,
    model: str = "",
    weights: WeightsInForce | None = None,
    tuning: Tuning | None = None,
    ranked_by: Callable[[PhoenixScorer], PhoenixScorer] = lambda ranker: ranker,
) -> Replayed:
    """Run a load again, by default under its own model and weights, tuned as its viewer had tuned them.

    ``ranked_by`` may put another scorer in front of the model's.
    Raises NotFound for a model that is not registered, Conflict when the model's files are not those
    that served, Unavailable when they cannot be read.
    """
    tape, settings = store.tape_of(row), row.settings.body
    served = store.unpack(row)
    weights = weights or WeightsInForce(settings["weight_set"], settings["weights"])
    query = _query(tape, settings, replace(weights, tuning=Tuning.of(served["tuning"]) if tuning is None else tuning))
    scorer = (
        PhoenixScorer(_ranker(model)) if model else PhoenixScorer(_same_model(settings), settings.get("arithmetic", ""))
    )
    result = _pipeline(pipelines, tape, ranked_by(scorer)).execute(query)
    again = query.memo.get("scored_posts")
    return Replayed(
        request_id=row.request_id,
        model=model or settings["model"],
        weight_set=weights.number,
        served=tuple(_places(served["items"])),
        replayed=tuple(_places(build.items(result, again))),
        served_ledger=_ledger(served["dropped"]),
        replayed_ledger=_ledger(build.ledger(again, result)),
        changed=_changed(tape),
        broken=tuple(part.name for part in again.faults),
    )


def _changed(tape: Tape) -> tuple[str, ...]:
    if tape.content is None:
        return ()
    posts = original_ids(Batch.of(SCHEMA, **tape.columns))[ranked_rows(tape.fates)]
    return tuple(str(post) for post in np.unique(posts[content_digests(posts) != tape.content]).tolist())


def _query(tape: Tape, settings: Mapping[str, Any], weights: WeightsInForce) -> ScoredPostsQuery:
    """The query as the stages after the sources saw it; parameters that are new since have their defaults."""
    known = {field.name for field in fields(Params)}
    params = Params(**{name: value for name, value in settings["params"].items() if name in known})
    query = ScoredPostsQuery(**tape.query, params=params, weights=weights)
    if tape.topics is not None:
        query.memo.put(topics.MEMO, TopicTree(tape.topics))
    return query


def _ranker(name: str) -> str:
    if not ModelVersion.objects.filter(name=name, kind=ModelVersion.Kind.RANKER).exists():
        raise NotFound(f"There is no ranker called {name}.")
    return name


def _same_model(settings: Mapping[str, Any]) -> str:
    name = settings["model"]
    if not name or not settings["model_hash"]:
        return ""
    known = ModelVersion.objects.filter(name=name).values_list("artefact_hash", flat=True).first()
    if known is None:
        raise NotFound(f"The model {name}, which made this page, is not registered any more.")
    if known != settings["model_hash"]:
        raise Conflict(f"The model {name} is not the one that made this page: its files differ.")
    return name


def _places(items: list[dict[str, Any]]) -> Iterator[Place]:
    for item in items:
        yield Place(item["kind"], _identity(item), item["score"])


def _identity(item: dict[str, Any]) -> str:
    about = item["receipt"]
    by_kind = {
        feed_item.AD: lambda: about["ad_id"],
        feed_item.WHO_TO_FOLLOW: lambda: ",".join(about["user_ids"]),
        feed_item.PROMPT: lambda: about["prompt_id"],
    }
    return by_kind.get(item["kind"], lambda: item["post_id"])()


def _ledger(dropped: list[dict[str, Any]]) -> dict[str, frozenset[str]]:
    return {f"{row['stage']}:{row['filter']}": frozenset(row["post_ids"]) for row in dropped}


# --- The pipelines with their inputs from the tape -----------------------------------------------


def _pipeline(pipelines: tuple[Pipeline, Pipeline], tape: Tape, ranker: PhoenixScorer) -> Pipeline:
    """Both recipes, everything that reads from outside replaced by the tape."""
    inner, outer = pipelines
    candidates = Batch.of(SCHEMA, **tape.columns)
    quiet = {"query_hydrators": (), "dependent_query_hydrators": (), "side_effects": ()}
    run = {"workers": Inline(), "background": Immediate(), "budgets": PATIENT, "observer": lambda *_: None}
    posts = replace(
        inner,
        **quiet,
        **run,
        sources=(_TapedCandidates(candidates),),
        hydrators=(),
        filters=_filters(inner, inner.filters, tape, candidates),
        scorers=tuple(_scorers(inner, tape, ranker)),
        post_selection_hydrators=(_TapedVerdicts(inner.post_selection_hydrators, tape, candidates),),
        post_selection_filters=_filters(inner, inner.post_selection_filters, tape, candidates),
    )
    return replace(outer, **quiet, **run, sources=(ScoredPostsSource(posts), _TapedOthers(tape.others)))


def _filters(inner: Pipeline, filters: tuple[Filter, ...], tape: Tape, candidates: Batch) -> tuple[Filter, ...]:
    return tuple(
        _TapedFilter(part, candidates, tape.fates.rows_by(part.name))
        if part.name in BY_VERDICT or part.name in tape.broken
        else part
        for part in filters
    )


def _scorers(inner: Pipeline, tape: Tape, ranker: PhoenixScorer) -> Iterator[Any]:
    """Those that answered then; the model's by name."""
    for part in inner.scorers:
        if isinstance(part, PhoenixScorer) and part.name not in tape.broken:
            yield ranker
        elif part.name not in tape.broken:
            yield part


class _TapedCandidates(Source):
    """The candidates as the filters first saw them."""

    def __init__(self, candidates: Batch) -> None:
        self.candidates = candidates
        self.writes = tuple(candidates.names())

    def fetch(self, query: ScoredPostsQuery) -> Batch:
        """No reading."""
        return self.candidates


class _TapedFilter(Filter):
    """A filter of which only the verdicts are kept."""

    def __init__(self, original: Filter, candidates: Batch, removed: np.ndarray) -> None:
        self.original, self.candidates, self.removed = original, candidates, removed

    @property
    def name(self) -> str:
        """The original's."""
        return self.original.name

    def keep(self, query: ScoredPostsQuery, batch: Batch) -> np.ndarray:
        """What it kept then."""
        return ~np.isin(batch.positions_in(self.candidates), self.removed)


class _TapedVerdicts(Hydrator):
    """What the post-selection hydrators said; of rows that were not selected then, what they say now."""

    def __init__(self, originals: tuple[Hydrator, ...], tape: Tape, candidates: Batch) -> None:
        self.originals, self.tape, self.candidates = originals, tape, candidates
        self.writes = tuple(dict.fromkeys([*tape.late, *(name for part in originals for name in part.writes)]))

    def hydrate(self, query: ScoredPostsQuery, batch: Batch) -> dict[str, Any]:
        """Columns for every row."""
        place = {row: n for n, row in enumerate(self.tape.judged.tolist())}
        found = np.array([place.get(row, -1) for row in batch.positions_in(self.candidates).tolist()], np.int64)
        unknown = found < 0
        columns = {}
        for name, values in self.tape.late.items():
            columns[name] = np.array(batch[name])
            columns[name][~unknown] = values[found[~unknown]]
        if unknown.any():
            for part in self.originals:
                if not (part.enabled(query) and self.tape.late.keys() & set(part.writes)):
                    continue
                for name, values in part.hydrate(query, batch.take(unknown)).items():
                    if name in columns:
                        columns[name][unknown] = batch.schema[name].of(values)
        return columns


@dataclass(frozen=True, slots=True)
class _Ad:
    """An ad as the blender reads it."""

    id: int
    insert_position: int
    control: AdjacencyControl | None
    post_id: int = 0
    author_id: int = 0
    advertiser_name: str = ""


@dataclass(frozen=True, slots=True)
class _Prompt:
    """A prompt by its id."""

    pk: int
    title: str = ""


class _TapedOthers(Source):
    """Everything beside posts."""

    writes = ("kind", "item")

    def __init__(self, others: list[dict[str, Any]]) -> None:
        self.others = others

    def fetch(self, query: ScoredPostsQuery) -> Batch:
        """No reading."""
        return Batch.of(
            feed_item.SCHEMA,
            kind=[other["kind"] for other in self.others],
            item=[_item(other) for other in self.others],
        )


def _item(other: dict[str, Any]) -> Any:
    if other["kind"] == feed_item.AD:
        said = other.get("control")
        control = AdjacencyControl(**said | {"risk": AdjacencyRisk(said["risk"])}) if said else None
        return _Ad(other["id"], other["insert_position"], control)
    if other["kind"] == feed_item.WHO_TO_FOLLOW:
        return feed_item.WhoToFollowModule(other["user_ids"])
    if other["kind"] == feed_item.PUSH_TO_HOME:
        return feed_item.PushToHomeItem(other["id"], 0)
    return _Prompt(other["id"])

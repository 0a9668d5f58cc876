"""The promoted models in this process, swapped when the registry names others.

A server process keeps a thread that looks for newer models and takes over new candidate vectors, so
that a request finds both as they are and waits for neither. Where there is no such thread, requests
look themselves, every few seconds: one of them loads while the others go on with what they have. None
mixes two versions: a request takes one `Live...` object and keeps it.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache, lru_cache
from typing import Any, Generic, TypeVar

import numpy as np
import structlog
import torch
from django.db import Error, close_old_connections
from psycopg_pool import PoolTimeout
from torch import Tensor

from ranking import registry
from ranking.models import ModelVersion
from ranking.phoenix import precision
from ranking.phoenix.actions import CONTINUOUS_HEADS, DISCRETE_HEADS, action_names, continuous_names
from ranking.phoenix.batch import Candidates
from ranking.phoenix.config import PhoenixConfig
from ranking.phoenix.inference import RankerRuntime, ServingContext, columns, workers
from ranking.phoenix.npz import ArtifactError
from ranking.retrieval import indexer, projections, vector_store
from ranking.retrieval.window import RetrievalWindow
from ranking.row_cache import RowCache
from ranking.serving.checkpoint import Checkpoint
from ranking.types import Floats, Int64s
from xsocial.kernel import clock, metrics
from xsocial.kernel.errors import Unavailable

POLL_SECONDS = 5.0
REFRESH_SECONDS = 2.0
# Requests look themselves only when the thread that should has missed its turn, or there is none.
MISSED_SECONDS = 6.0
# Writers may commit a little after the time they stamped.
OVERLAP = timedelta(seconds=30)
CACHED_CONTEXTS = 512
# Rows of 4 D bytes: 51 MB at 64 numbers, and no more however many posts there are.
CACHED_PROJECTIONS = 200_000

log = structlog.get_logger(__name__)


@dataclass
class Mark:
    """Up to which moment a table of changes was read."""

    since: datetime = datetime(1970, 1, 1, tzinfo=UTC)
    _newest: datetime = datetime(1970, 1, 1, tzinfo=UTC)

    def move(self, asked_at: datetime, newest: datetime | None) -> None:
        """After an answer. Once everybody must have committed, the newest rows need not be read again and again."""
        self._newest = newest or self._newest
        self.since = self._newest if asked_at - self._newest > OVERLAP else self._newest - OVERLAP


T = TypeVar("T")


class Lately(Generic[T]):
    """What was made of histories lately, by their versions. Thread-safe."""

    def __init__(self) -> None:
        self._made: OrderedDict[int, T] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: int, make: Callable[[], T], *, kind: str) -> T:
        """As made before, else made now; ``kind`` names it in the metrics."""
        with self._lock:
            found = self._made.get(key)
            if found is not None:
                self._made.move_to_end(key)
                _uses(kind, "hit").inc()
                return found
        _uses(kind, "miss").inc()
        made = make()
        with self._lock:
            self._made[key] = made
            while len(self._made) > CACHED_CONTEXTS:
                self._made.popitem(last=False)
        return made


@dataclass
class LiveRanker:
    """A ranker ready to serve, with the contexts it encoded lately and its projections of posts."""

    version: str
    checkpoint: Checkpoint
    runtime: RankerRuntime
    model_id: int
    _mark: Mark = field(default_factory=Mark)
    _projections: RowCache = field(init=False)
    _contexts: Lately[ServingContext] = field(default_factory=Lately)

    @property
    def arithmetic(self) -> str:
        """What it computes in: "float32" or "bfloat16"."""
        return str(self.runtime.dtype).removeprefix("torch.")

    def __post_init__(self) -> None:
        self._projections = RowCache(self.checkpoint.model.config.emb_size, capacity=CACHED_PROJECTIONS)

    def context(self, key: int, encode: Callable[[], ServingContext]) -> ServingContext:
        """The cached keys and values of a history, encoded on first use."""
        return self._contexts.get(key, encode, kind="context")

    def refresh(self) -> None:
        """Takes over the projections written since the last time. One thread at a time."""
        asked_at, size = clock.now(), self.checkpoint.model.config.emb_size
        stored = projections.changes(self.model_id, since=self._mark.since, size=size)
        self._projections.put(stored.ids, stored.rows)
        self._mark.move(asked_at, stored.newest)

    def projections(self, candidates: Candidates) -> Tensor:
        """What the tokens of these posts have in common for everybody [C, D]: as stored, else computed here.

        A post whose content is not known yet is computed anew each time.
        """
        ids: Int64s = candidates.post_ids[0].numpy()
        rows, known = self._projections.get(ids)
        _uses("projection", "hit").inc(int(known.sum()))
        if not known.all():
            new = np.flatnonzero(~known)
            _uses("projection", "miss").inc(len(new))
            some = columns(candidates, torch.from_numpy(new))
            rows[new] = workers().submit(self.runtime.project, some).result().numpy()
            complete = np.ones(len(new), bool) if some.content is None else some.content[0].any(-1).numpy()
            self._projections.put(ids[new[complete]], rows[new[complete]])
        return torch.from_numpy(rows)


def _uses(kind: str, result: str) -> Any:
    return metrics.counter(
        "ranking_cache_uses",
        "Contexts, viewers and post projections asked for, by whether they were in memory",
        ("kind", "result"),
    ).labels(kind, result)


@dataclass
class LiveRetrieval:
    """A retrieval model with its window of candidate vectors, which follows the durable store."""

    version: str
    model_id: int
    checkpoint: Checkpoint
    window: RetrievalWindow
    _newest: datetime = datetime(1970, 1, 1, tzinfo=UTC)
    _mark: Mark = field(default_factory=Mark)
    _refreshed: float = 0.0
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _viewers: Lately[Floats] = field(default_factory=Lately)

    def viewer(self, key: int, encode: Callable[[], Floats]) -> Floats:
        """The cached vector of a history, encoded on first use."""
        return self._viewers.get(key, encode, kind="viewer")

    def refresh(self, *, wait: bool = False) -> None:
        """Takes over what was written since the last time; one thread at a time.

        Without `wait` only if that is long ago and nobody is at it.
        """
        if time.monotonic() - self._refreshed < MISSED_SECONDS and not wait:
            return
        if not self._lock.acquire(blocking=wait):
            return
        try:
            self._take_changes()
        finally:
            self._lock.release()

    def _take_changes(self) -> None:
        asked_at = clock.now()
        changes = vector_store.changes(
            self.model_id,
            since=self._mark.since,
            created_after_ms=indexer.window_start_ms(),
            dimensions=self.checkpoint.model.config.emb_size,
        )
        active = changes.is_active
        self.window.remove(changes.ids[~active])
        self.window.put(changes.ids[active], changes.created_ms[active], changes.vectors[active])
        self.window.forget_before(indexer.window_start_ms())
        self._mark.move(asked_at, changes.newest)
        self._refreshed = time.monotonic()


def live_ranker(version: ModelVersion) -> LiveRanker:
    """This version, loaded. Raises ArtifactError."""
    checkpoint = registry.load(version)
    choice = precision.choose(checkpoint.model, checkpoint.tables)
    log.info(
        "ranking.arithmetic_chosen",
        model=version.name,
        dtype=str(choice.runtime.dtype),
        exact_ms=round(choice.exact_ms, 2),
        fast_ms=round(choice.fast_ms, 2),
        probability_difference=choice.agreement.probability_difference,
        rank_correlation=choice.agreement.rank_correlation,
    )
    _tell_missing_heads(version.name, checkpoint.model.config)
    live = LiveRanker(version.name, checkpoint, choice.runtime, version.pk)
    live.refresh()
    return live


def _tell_missing_heads(name: str, config: PhoenixConfig) -> None:
    """A model trained before a head existed serves without it: the head adds nothing to a score."""
    known = {*action_names(config), *continuous_names(config)}
    missing = [head for head in (*DISCRETE_HEADS, *CONTINUOUS_HEADS) if head not in known]
    if missing:
        log.warning("ranking.heads_missing", model=name, heads=missing)


def live_retrieval(version: ModelVersion) -> LiveRetrieval:
    """This version, loaded, with its window filled. Raises ArtifactError."""
    checkpoint = registry.load(version)
    window = RetrievalWindow(checkpoint.model.config.emb_size)
    live = LiveRetrieval(version.name, version.pk, checkpoint, window)
    live.refresh(wait=True)
    return live


L = TypeVar("L", LiveRanker, LiveRetrieval)


class Slot(Generic[L]):
    """Holds the live model of one kind."""

    def __init__(self, kind: str, load: Callable[[ModelVersion], L]) -> None:
        self.kind = kind
        self._load = load
        self._current: L | None = None
        self._checked = -POLL_SECONDS
        self._lock = threading.Lock()

    def get(self) -> L:
        """The live model; raises Unavailable when none is promoted or it cannot be read."""
        is_due = time.monotonic() - self._checked >= POLL_SECONDS
        # The first load is worth waiting for; later ones happen beside the traffic.
        if is_due and self._lock.acquire(blocking=self._current is None):
            try:
                self._look_up()
            finally:
                self._lock.release()
        current = self._current  # another thread may take it out of service at any moment
        if current is None:
            raise Unavailable(f"No {self.kind} model is promoted.")
        return current

    def _look_up(self) -> None:
        if self._current is not None and time.monotonic() - self._checked < POLL_SECONDS:
            return
        version = registry.promoted(self.kind)
        if version is None:
            self._current = None
        elif self._current is None or self._current.version != version.name:
            self._swap(version)
        self._checked = time.monotonic()

    def _swap(self, version: ModelVersion) -> None:
        try:
            self._current = self._load(version)
        except ArtifactError as error:
            metrics.counter("ranking_load_failures", "Models that could not be loaded", ("kind",)).labels(
                self.kind
            ).inc()
            log.error("ranking.load_failed", kind=self.kind, model=version.name, error=str(error))
            return
        log.info("ranking.model_live", kind=self.kind, model=version.name)

    def reset(self) -> None:
        """Looks again at the next use (tests, and right after a promotion in this process)."""
        self._checked = -POLL_SECONDS
        self._current = None


ranker: Slot[LiveRanker] = Slot(ModelVersion.Kind.RANKER, live_ranker)
retrieval: Slot[LiveRetrieval] = Slot(ModelVersion.Kind.RETRIEVAL, live_retrieval)


@lru_cache(maxsize=2)
def _other_ranker(name: str, arithmetic: str) -> LiveRanker:
    version = registry.by_name(name)
    try:
        if not arithmetic:
            return live_ranker(version)
        checkpoint = registry.load(version)
    except ArtifactError as error:
        raise Unavailable(f"The model {name} cannot be read: {error}") from error
    runtime = RankerRuntime(checkpoint.model, checkpoint.tables, dtype=getattr(torch, arithmetic))
    live = LiveRanker(name, checkpoint, runtime, version.pk)
    live.refresh()
    return live


def ranker_called(name: str, arithmetic: str = "") -> LiveRanker:
    """The ranker of that name, promoted or not, in the arithmetic asked for. Raises NotFound and Unavailable."""
    promoted = registry.promoted(ModelVersion.Kind.RANKER)
    if promoted and promoted.name == name and arithmetic in ("", ranker.get().arithmetic):
        return ranker.get()
    return _other_ranker(name, arithmetic)


@cache
def keep_current() -> threading.Thread:
    """Start the thread that keeps this process's models and candidate vectors current; once is enough."""
    thread = threading.Thread(target=_keep_current, name="ranking-current", daemon=True)
    thread.start()
    return thread


def _keep_current() -> None:
    while True:
        try:
            ranker.get().refresh()
            retrieval.get().refresh(wait=True)
        except Unavailable:
            pass  # nothing is promoted yet
        except (Error, PoolTimeout) as error:
            log.warning("ranking.refresh_failed", error=str(error))
        finally:
            close_old_connections()
        time.sleep(REFRESH_SECONDS)


def reset() -> None:
    """Forgets both live models of this process."""
    ranker.reset()
    retrieval.reset()

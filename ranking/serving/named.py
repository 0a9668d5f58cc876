"""Retrieval models besides the promoted one, served by name: newcomers' and topics' models, a second retrieval.

They are loaded at first use and kept while they are among the last few asked for. One that was asked for
lately gets candidate vectors for new posts, as the promoted one does.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict

from ranking import registry
from ranking.models import ModelVersion
from ranking.phoenix.npz import ArtifactError
from ranking.retrieval import indexer
from ranking.serving import live
from xsocial.kernel import clock, redis
from xsocial.kernel.errors import NotFound, Unavailable

KEPT = 3
IN_USE_S = 3_600
NOTED_EVERY_S = 60.0
IN_USE = "ranking:named-retrieval"

_lock = threading.Lock()
_loaded: OrderedDict[str, live.LiveRetrieval] = OrderedDict()
_noted: dict[str, float] = {}


def retrieval(name: str) -> live.LiveRetrieval:
    """The retrieval model of this name, or the promoted one for no name. Raises Unavailable."""
    if not name:
        return live.retrieval.get()
    with _lock:  # one thread loads, the others wait
        if name not in _loaded:
            _loaded[name] = _load(name)
            while len(_loaded) > KEPT:
                _loaded.popitem(last=False)
        _loaded.move_to_end(name)
        model = _loaded[name]
    _note_use(name)
    return model


def _load(name: str) -> live.LiveRetrieval:
    try:
        version = registry.by_name(name)
        if version.kind != ModelVersion.Kind.RETRIEVAL:
            raise Unavailable(f"{name} is no retrieval model.")
        indexer.index_window(version.pk, registry.load(version))
        return live.live_retrieval(version)
    except (NotFound, ArtifactError) as error:
        raise Unavailable(f"{name} cannot be served: {error}") from None


def retrievals_in_use() -> list[str]:
    """Names that some process asked for within the hour. None where Valkey is away."""
    since = clock.now_ms() - 1_000 * IN_USE_S
    try:
        client = redis.client("cache")
        client.zremrangebyscore(IN_USE, 0, since)
        return [name.decode() for name in client.zrange(IN_USE, 0, -1)]
    except redis.RedisError:
        return []


def _note_use(name: str) -> None:
    """Say at most once a minute that a model is in use."""
    now = time.monotonic()
    if now - _noted.get(name, -NOTED_EVERY_S) < NOTED_EVERY_S:
        return
    _noted[name] = now
    try:
        redis.client("cache").zadd(IN_USE, {name: clock.now_ms()})
    except redis.RedisError:
        _noted.pop(name, None)  # noted with the next use


def reset() -> None:
    """Forget what this process loaded (tests)."""
    _loaded.clear()
    _noted.clear()

"""Values by post in this process, each for a while: the older the post, the longer."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any


class ProcessCache:
    """A bounded cache for ``CachedHydrator``; the oldest entries go first. Thread-safe."""

    def __init__(self, capacity: int, ttl_s: Callable[[Any], float]) -> None:
        self._capacity = capacity
        self._ttl_s = ttl_s
        self._lock = threading.Lock()
        self._entries: dict[Any, tuple[float, tuple]] = {}

    def get_many(self, keys: Sequence[Any]) -> Mapping[Any, tuple]:
        """Values that are not past their time."""
        now = time.monotonic()
        with self._lock:
            found = {key: entry for key in keys if (entry := self._entries.get(key)) is not None}
        return {key: value for key, (until, value) in found.items() if until > now}

    def set_many(self, values: Mapping[Any, tuple]) -> None:
        """Keep these, each for its own time."""
        now = time.monotonic()
        with self._lock:
            for key, value in values.items():
                self._entries.pop(key, None)  # to the end of the queue
                self._entries[key] = (now + self._ttl_s(key), value)
            while len(self._entries) > self._capacity:
                del self._entries[next(iter(self._entries))]

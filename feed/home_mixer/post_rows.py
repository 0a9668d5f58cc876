"""Rows of posts for one request: each post is read once, whichever stages ask for it."""

from __future__ import annotations

import threading
from dataclasses import fields

import numpy as np

from feed.candidate_pipeline import Batch
from feed.home_mixer.arrays import found_in
from feed.home_mixer.candidate import original_ids
from feed.home_mixer.query import Memo
from posts.selectors import hydration
from posts.selectors.hydration import PostRows


class PostRowCache:
    """What is known so far; a request for more ids reads only the missing ones, in one query."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._ids = np.empty(0, np.int64)
        self._rows: PostRows | None = None

    def get(self, post_ids: np.ndarray) -> PostRows:
        """Rows aligned with the ids; 0 is a post that does not exist."""
        with self._lock:
            at, is_known = found_in(self._ids, post_ids)
            if self._rows is None or not is_known.all():
                self._add(np.unique(post_ids[~is_known]))
                at = np.searchsorted(self._ids, post_ids)
            return self._rows.take(at)

    def _add(self, missing: np.ndarray) -> None:
        fresh = hydration.post_rows(missing)
        if self._rows is None:
            self._ids, self._rows = missing, fresh
            return
        ids = np.concatenate([self._ids, missing])
        order = np.argsort(ids)
        joined = (
            np.concatenate([getattr(self._rows, field.name), getattr(fresh, field.name)]) for field in fields(PostRows)
        )
        self._ids, self._rows = ids[order], PostRows(*joined).take(order)


def of_request(memo: Memo) -> PostRowCache:
    """The request's own cache."""
    return memo.once("post_rows", PostRowCache)


def of_candidates(memo: Memo, batch: Batch) -> PostRows:
    """Rows of the candidates themselves."""
    return _known(memo, batch).get(batch["post_id"])


def of_originals(memo: Memo, batch: Batch) -> PostRows:
    """Rows of the reposted posts where candidates are reposts, else of the candidates."""
    return _known(memo, batch).get(original_ids(batch))


def _known(memo: Memo, batch: Batch) -> PostRowCache:
    """The request's cache with candidates and originals read together."""
    cache = of_request(memo)
    memo.once(f"rows_of_{id(batch)}", lambda: cache.get(np.concatenate([batch["post_id"], original_ids(batch)])))
    return cache

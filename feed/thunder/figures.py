"""What Thunder tells about itself: the figures of one answer, of one batch taken in, and of the store."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np

from feed.thunder.post_store import Found, PostStore, Request
from xsocial.kernel import metrics

NUMBERS = (0, 1, 5, 10, 50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000)
AGES_S = (1, 5, 15, 60, 300, 900, 3_600, 21_600, 86_400, 172_800)
SHARES = (0.0, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0)


@contextmanager
def in_flight() -> Iterator[None]:
    """Counts the questions being answered."""
    running = metrics.gauge("thunder_in_flight", "Questions Thunder is answering")
    running.inc()
    try:
        yield
    finally:
        running.dec()


def of_answer(request: Request, found: Found, *, now_ms: int) -> None:
    """The sizes of a question and the shape of its answer."""
    _number("thunder_following", "Followed authors in a question", len(request.following))
    _number("thunder_excluded", "Excluded posts in a question", len(request.exclude))
    _number("thunder_wanted", "Posts a question wants", request.max_results)
    _number("thunder_returned", "Posts in an answer", len(found.posts))
    metrics.counter("thunder_deleted_met", "Deleted posts that a question met").inc(found.deleted)
    if not len(found.posts):
        return
    created, authors = found.posts.created_ms, len(np.unique(found.posts.author_id))
    _share("thunder_kept_share", "Returned of what the followed have in the store", len(created) / found.eligible)
    _share("thunder_reply_share", "Replies among the returned", np.mean(found.posts.in_reply_to_id != 0))
    _number("thunder_authors", "Different authors in an answer", authors)
    _number("thunder_posts_per_author", "Posts per author in an answer", len(created) / authors)
    _age("thunder_freshness_seconds", "Age of the newest post in an answer", (now_ms - created.max()) / 1000)
    _age("thunder_span_seconds", "From the oldest to the newest post", (created.max() - created.min()) / 1000)


def of_batch(oldest_ms: int, *, now_ms: int, seconds: float) -> None:
    """How long after posting a batch came, and how long it took to take in."""
    metrics.histogram("thunder_ingest_seconds", "From posting to Thunder").observe(max(0, now_ms - oldest_ms) / 1000)
    metrics.histogram("thunder_batch_seconds", "Time to take in one batch of events").observe(seconds)


def of_store(store: PostStore) -> None:
    """What the store holds."""
    sizes = store.sizes()
    gauge = metrics.gauge("thunder_size", "What Thunder holds", ("what",))
    for what in ("posts", "originals", "secondaries", "videos", "authors", "tombstones", "log"):
        gauge.labels(what).set(getattr(sizes, what))


def _number(name: str, description: str, value: float) -> None:
    metrics.histogram(name, description, buckets=NUMBERS).observe(value)


def _share(name: str, description: str, value: float) -> None:
    metrics.histogram(name, description, buckets=SHARES).observe(value)


def _age(name: str, description: str, seconds: float) -> None:
    metrics.histogram(name, description, buckets=AGES_S).observe(seconds)

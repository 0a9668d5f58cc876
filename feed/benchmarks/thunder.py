"""Thunder's lookup on a world of the published size, beside plain Python on the same data."""

from __future__ import annotations

import heapq
import time
from collections import deque
from itertools import islice

import numpy as np

from feed.benchmarks import percentiles, timed
from feed.thunder.post_store import PostColumns, PostStore, Request

NOW_MS = 1_800_000_000_000
SPAN_MS = 47 * 3_600_000


def world(posts: int, authors: int, seed: int) -> PostColumns:
    """Posts over 47 hours: 60 % originals, 25 % replies, 15 % reposts."""
    rng = np.random.default_rng(seed)
    created = np.sort(NOW_MS - rng.integers(1_000, SPAN_MS, posts))
    post_id = np.arange(1, posts + 1)
    author = rng.integers(1, authors + 1, posts)
    kind = rng.random(posts)
    earlier = (post_id * rng.random(posts) * 0.999).astype(np.int64)  # some earlier row, or 0
    is_reply = (kind > 0.60) & (kind <= 0.85) & (earlier > 0)
    is_repost = (kind > 0.85) & (earlier > 0)
    of_author = author[np.maximum(earlier - 1, 0)]
    return PostColumns(
        post_id=post_id,
        author_id=author,
        created_ms=created,
        in_reply_to_id=np.where(is_reply, earlier, 0),
        in_reply_to_user_id=np.where(is_reply, of_author, 0),
        repost_of_id=np.where(is_repost, earlier, 0),
        repost_of_user_id=np.where(is_repost, of_author, 0),
        conversation_id=np.where(is_reply, earlier, post_id),
        has_video=(rng.random(posts) < 0.1).astype(np.int64),
    )


def run(*, posts: int, authors: int, followed: int, wanted: int, rounds: int, seed: int) -> dict:
    """Figures per case. ``ratio`` is the baseline's median over ours: higher is better."""
    data, rng = world(posts, authors, seed), np.random.default_rng(seed + 1)
    store = PostStore(capacity=1 << (posts - 1).bit_length())
    started = time.perf_counter()
    store.insert(data, now_ms=NOW_MS)
    loading_s = time.perf_counter() - started
    questions = [_question(rng, authors, followed, posts, wanted) for _ in range(50)]
    few = [_question(rng, authors, 10, posts, wanted) for _ in range(50)]
    timelines = _timelines(data)
    ask = lambda asked: lambda n: store.lookup(asked[n % 50], now_ms=NOW_MS)  # noqa: E731
    timed(ask(questions), 20)
    lookup = percentiles(timed(ask(questions), rounds))
    baseline = percentiles(timed(lambda n: _plain(timelines, questions[n % 50]), max(rounds // 20, 10)))
    return {
        "lookup": lookup | {"ratio": round(baseline["p50_ms"] / lookup["p50_ms"], 1)},
        "lookup_cpu": percentiles(timed(ask(questions), rounds, cpu=True)),
        "lookup_10_followed_cpu": percentiles(timed(ask(few), rounds, cpu=True)),
        "baseline_deques": baseline,
        "cold_load": {"seconds": round(loading_s, 2), "posts": store.sizes().posts},
    }


def _question(rng: np.random.Generator, authors: int, followed: int, posts: int, wanted: int) -> Request:
    following = rng.choice(np.arange(1, authors + 1), min(followed, authors), replace=False)
    exclude = rng.integers(max(1, posts - posts // 20), posts + 1, 700)
    return Request(0, following, exclude, wanted)


def _timelines(data: PostColumns) -> dict[int, deque]:
    timelines: dict[int, deque] = {}
    rows = zip(data.author_id.tolist(), data.created_ms.tolist(), data.post_id.tolist(), strict=True)
    for author, created, post_id in rows:
        timelines.setdefault(author, deque(maxlen=80)).append((created, post_id))
    return timelines


def _plain(timelines: dict[int, deque], request: Request) -> list:
    """The baseline: a deque per author, exclusions, one heap; none of the other rules."""
    excluded = set(request.exclude.tolist())
    entries = (
        entry
        for author in request.following.tolist()
        for entry in islice(reversed(timelines.get(author, ())), 80)
        if entry[1] not in excluded
    )
    return heapq.nlargest(request.max_results, entries)

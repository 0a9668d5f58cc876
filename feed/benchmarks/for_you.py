"""Whole pages and their stages, fresh and from the cache, by one viewer and by several at once."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from accounts.models import User
from feed import services
from feed.benchmarks import percentiles
from feed.candidate_pipeline import Batch, Column, Pipeline, Result, Schema, Selector, Source
from feed.home_mixer import clients
from feed.home_mixer.query import ScoredPostsQuery
from feed.thunder import service as thunder
from feed.thunder.listener import OK
from feed.types import FeedRequest
from posts.models import Post
from xsocial.kernel import redis

WAIT_FOR_THUNDER_S = 120.0
WARM_UPS = 5
CONCURRENT = 8


def run(*, viewers: int, rounds: int) -> dict:
    """Figures per case. ``ratio`` is the page's median over the framework's alone: lower is better."""
    people = list(User.objects.filter(following_count__gt=0).order_by("-following_count", "id")[:viewers])
    if not people:
        return {}
    ready_s = wait_for_thunder()
    for person in people[:WARM_UPS]:
        services.load_for_you(person, request=FeedRequest(is_preview=True), is_patient=True)
    framework = percentiles(_framework(rounds))
    cases: dict[str, dict] = {}
    stages: dict[str, list[float]] = defaultdict(list)
    for name, is_fresh in (("fresh", True), ("cached", False)):
        alone = [_page(people[number % len(people)], number, is_fresh) for number in range(rounds)]
        cases[name] = percentiles([ms for ms, _ in alone])
        cases[f"{name}_{CONCURRENT}_viewers"] = _together(people, rounds, is_fresh)
        for _, result in alone if is_fresh else ():
            for stage, ms in _stages(result):
                stages[stage].append(ms)
        cases[name]["candidates"] = int(np.median([_ranked(result) for _, result in alone]))
        cases[name]["failed_parts"] = sum(len(result.faults) for _, result in alone)
    cases["fresh"]["ratio"] = round(cases["fresh"]["p50_ms"] / max(framework["p50_ms"], 1e-3), 1)
    return {
        **cases,
        "baseline_framework": framework,
        **{f"stage {name}": percentiles(times) for name, times in stages.items()},
        "world": {
            "users": User.objects.count(),
            "posts": Post.objects.count(),
            "viewers": len(people),
            "thunder_ready_in_s": round(ready_s, 1),
        },
    }


def wait_for_thunder() -> float:
    """Seconds from nothing to a store that answers, if there is to be one."""
    started = time.monotonic()
    services.warm_up()
    while thunder.state() not in (OK, thunder.OFF) and time.monotonic() - started < WAIT_FOR_THUNDER_S:
        time.sleep(0.1)
    return time.monotonic() - started


def _page(viewer: User, number: int, is_fresh: bool) -> tuple[float, Result]:
    """Milliseconds of one page and its result; unless it is fresh a page went before it."""
    request = FeedRequest(platform=f"bench{number}")
    if is_fresh:
        forget(viewer)
    else:
        services.for_you(viewer, request=request)
        drain()
    started = time.perf_counter()
    _, result = services.load_for_you(viewer, request=request)
    ms = (time.perf_counter() - started) * 1000
    drain()  # what follows one response must not slow the next one measured
    return ms, result


def drain() -> None:
    background = clients.shared().background
    if hasattr(background, "drain"):
        background.drain()


def _together(people: list[User], rounds: int, is_fresh: bool) -> dict:
    """Pages of several viewers at once, and how many come out a second."""
    for viewer in people:
        if is_fresh:
            forget(viewer)
        else:
            services.for_you(viewer)
    drain()

    def one(number: int) -> float:
        viewer = people[number % len(people)]
        if is_fresh:
            forget(viewer)
        started = time.perf_counter()
        services.for_you(viewer)
        return (time.perf_counter() - started) * 1000

    def share(viewers: range) -> list[float]:
        return clients.with_connection(lambda: [one(number) for number in viewers])

    started = time.perf_counter()
    with ThreadPoolExecutor(CONCURRENT) as pool:
        shares = list(pool.map(share, (range(first, rounds, CONCURRENT) for first in range(CONCURRENT))))
    seconds = time.perf_counter() - started
    drain()  # what follows the last pages still needs the world
    samples = [ms for each in shares for ms in each]
    return percentiles(samples) | {"pages_per_second": round(rounds / seconds, 1)}


def _stages(result: Result) -> Iterable[tuple[str, float]]:
    inner = result.query.memo.get("scored_posts")
    for name, part in (("inner", inner), ("outer", result)):
        for report in part.stages if part else ():
            yield f"{name}.{report.stage}", report.ms


def _ranked(result: Result) -> int:
    inner = result.query.memo.get("scored_posts")
    return inner.retrieved.n if inner else 0


def forget(viewer: User) -> None:
    """Make the next page a fresh one."""
    client = redis.client("cache")
    for key in client.scan_iter(match=f"feed:cand:{viewer.pk}:*", count=1_000):
        client.delete(key)


def _framework(rounds: int) -> list[float]:
    """The same runner with 1,500 candidates and nothing to do."""
    schema = Schema({"id": Column(np.int64, 0)})

    class Nothing(Source):
        writes = ("id",)

        def fetch(self, query: object) -> Batch:
            return Batch.of(schema, id=np.arange(1_500))

    pipeline = Pipeline("Empty", schema, (Nothing(),), Selector(), **clients.shared().runtime())
    query = ScoredPostsQuery(user_id=1, request_id=1, prediction_id=1, now_ms=1)
    samples = []
    for _ in range(rounds):
        started = time.perf_counter()
        pipeline.execute(query)
        samples.append((time.perf_counter() - started) * 1000)
    return samples

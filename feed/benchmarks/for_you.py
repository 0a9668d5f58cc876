"""Whole pages and their stages, on whatever world the database holds."""

from __future__ import annotations

import time
from collections import defaultdict

import numpy as np

from accounts.models import User
from feed import services
from feed.benchmarks import percentiles
from feed.candidate_pipeline import Batch, Column, Pipeline, Schema, Selector, Source
from feed.home_mixer import clients
from feed.home_mixer.query import ScoredPostsQuery
from feed.thunder import service as thunder
from feed.types import FeedRequest
from posts.models import Post
from xsocial.kernel import redis

WAIT_FOR_THUNDER_S = 120.0


def run(*, viewers: int, rounds: int) -> dict:
    """Figures per case. ``ratio`` is the page's median over the framework's alone: lower is better."""
    people = list(User.objects.filter(following_count__gt=0).order_by("-following_count", "id")[:viewers])
    if not people:
        return {}
    _wait_for_thunder()
    for person in people[:3]:
        services.for_you(person, request=FeedRequest(is_preview=True))
    fresh, stages = _pages(people, rounds, forget=True)
    cached, _ = _pages(people, rounds, forget=False)
    framework = percentiles(_framework(rounds))
    whole = percentiles(fresh)
    return {
        "fresh": whole | {"ratio": round(whole["p50_ms"] / max(framework["p50_ms"], 1e-3), 1)},
        "cached": percentiles(cached),
        "baseline_framework": framework,
        **{f"stage {name}": percentiles(times) for name, times in stages.items()},
        "world": {"users": User.objects.count(), "posts": Post.objects.count(), "viewers": len(people)},
    }


def _wait_for_thunder() -> None:
    services.warm_up()
    started = time.monotonic()
    while not thunder.is_ready() and time.monotonic() - started < WAIT_FOR_THUNDER_S:
        time.sleep(0.1)


def _pages(people: list[User], rounds: int, *, forget: bool) -> tuple[list[float], dict[str, list[float]]]:
    samples: list[float] = []
    stages: dict[str, list[float]] = defaultdict(list)
    for number in range(rounds):
        viewer = people[number % len(people)]
        if forget:
            _forget(viewer)
        else:
            services.for_you(viewer, request=FeedRequest(platform=f"bench{number}"))
        started = time.perf_counter()
        _, result = services.load_for_you(viewer, request=FeedRequest(platform=f"bench{number}"))
        samples.append((time.perf_counter() - started) * 1000)
        inner = result.query.memo.get("scored_posts")
        for name, part in (("inner", inner), ("outer", result)):
            for report in part.stages if part else ():
                stages[f"{name}.{report.stage}"].append(report.ms)
    return samples, stages


def _forget(viewer: User) -> None:
    """Make the next page a fresh one."""
    client = redis.client("cache")
    for key in client.scan_iter(match=f"feed:cand:{viewer.pk}:*"):
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

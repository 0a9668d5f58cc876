"""Thunder's lookup on a world of the published size, beside plain Python on the same data."""

from __future__ import annotations

import heapq
import multiprocessing
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import islice
from multiprocessing.connection import Connection
from pathlib import Path
from tempfile import TemporaryDirectory

import django
import numpy as np

from feed.benchmarks import percentiles, timed
from feed.thunder.post_store import Found, PostColumns, PostStore, Request, with_limits

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
    started = time.perf_counter()
    store = _filled(data)
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
        **_from_another_process((posts, authors, seed), questions, rounds),
        "baseline_deques": baseline,
        "cold_load": {"seconds": round(loading_s, 2), "posts": store.sizes().posts},
    }


def cold_start() -> dict:
    """From nothing to ready on what the database holds, as a process that starts does it. Figures per case."""
    from feed.thunder.listener import Listener

    forever = with_limits(retention_ms=10 * 366 * 86_400_000)  # an older world's posts count as well
    listener = Listener(PostStore(forever))
    started, cpu = time.perf_counter(), time.process_time()
    listener.load()
    seconds, cpu_s = time.perf_counter() - started, time.process_time() - cpu
    posts = listener.store.sizes().posts
    return {"cold_start": {"seconds": round(seconds, 2), "cpu_seconds": round(cpu_s, 2), "posts": posts}}


def _filled(data: PostColumns) -> PostStore:
    store = PostStore(capacity=1 << (len(data) - 1).bit_length())
    store.insert(data, now_ms=NOW_MS)
    return store


def _from_another_process(made_of: tuple[int, int, int], questions: list[Request], rounds: int) -> dict:
    """The same questions to the same store in a process of its own, over a Unix socket and over gRPC.

    The server times each answer itself; ``added_ms`` is the median of all that is not its answer, and
    ``empty_call_ms`` what a gRPC call takes that asks and answers nothing (a health check).
    """
    from grpc_health.v1 import health_pb2, health_pb2_grpc

    from feed.rpc.server import Access
    from feed.rpc.thunder import RemoteThunder
    from feed.rpc.thunder_socket import SocketThunder

    def asked(remote: RemoteThunder | SocketThunder) -> dict:
        timed(lambda n: remote.lookup(questions[n % 50]), 20)
        samples = timed(lambda n: remote.lookup(questions[n % 50]), rounds)
        added = np.median(np.subtract(samples, own_ms()[-rounds:]))
        return percentiles(samples) | {"added_ms": round(float(added), 3)}

    with _process(made_of) as (port, path, own_ms):
        figures = {
            "over_socket": asked(SocketThunder(path, timeout_s=10)),
            "over_grpc": asked(RemoteThunder(f"127.0.0.1:{port}", timeout_s=10)),
        }
        with Access().channel(f"127.0.0.1:{port}") as channel:
            health = health_pb2_grpc.HealthStub(channel)
            nothing = health_pb2.HealthCheckRequest()
            timed(lambda _: health.Check(nothing), 20)
            empty = timed(lambda _: health.Check(nothing), rounds)
    figures["over_grpc"]["empty_call_ms"] = round(float(np.median(empty)), 3)
    return figures


@contextmanager
def _process(made_of: tuple[int, int, int]) -> Iterator[tuple[int, str, Callable[[], list[float]]]]:
    """A server of the same world: its port, its socket, and a call for the milliseconds of its answers so far."""
    here, there = multiprocessing.Pipe()
    child = multiprocessing.get_context("spawn").Process(target=_serve, args=(there, made_of), daemon=True)
    child.start()
    there.close()  # so that a child that dies ends our waiting

    def times() -> list[float]:
        here.send("times")
        return here.recv()

    try:
        yield *here.recv(), times
    finally:
        child.terminate()
        child.join(10)


def _serve(pipe: Connection, made_of: tuple[int, int, int]) -> None:
    django.setup()
    from feed.rpc import thunder
    from feed.rpc.server import RpcServer
    from feed.rpc.thunder_socket import SocketServer

    class Timed:
        """The store, answering at the world's moment and timing itself."""

        state = "ok"
        store = _filled(world(*made_of))
        times: list[float] = []

        def lookup(self, request: Request) -> Found:
            started = time.perf_counter()
            found = self.store.lookup(request, now_ms=NOW_MS)
            self.times.append((time.perf_counter() - started) * 1000)
            return found

    backend = Timed()
    server = RpcServer([thunder.service(backend)], address="127.0.0.1:0", workers=4)
    server.server.start()
    with TemporaryDirectory() as folder:
        path = Path(folder) / "thunder.sock"
        SocketServer(path, backend).start()
        pipe.send((server.port, str(path)))
        while pipe.recv():
            pipe.send(backend.times)


def _question(rng: np.random.Generator, authors: int, followed: int, posts: int, wanted: int) -> Request:
    following = rng.choice(np.arange(1, authors + 1), min(followed, authors), replace=False)
    exclude = rng.integers(max(1, posts - posts // 20), posts + 1, 700)
    return Request(authors + 1, following, exclude, wanted)


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

"""Measures Grox at work: posts through the event log, the dispatcher and a real worker, in this database.

Everything belongs to one account that is removed at the end, or when the next run starts if this one is killed.
"""

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

from django.conf import settings
from django.db import connection

from accounts.models import User
from moderation.grox import in_flight
from moderation.grox.dispatcher import Dispatcher
from moderation.grox.payload import BATCH, Stream
from moderation.selectors import screened
from posts.models import Post
from posts.services import create_post
from xsocial.kernel import clock, ids
from xsocial.kernel.event_log.relay import Relay

LOOK_EVERY_S = 0.005
WORKER_STARTS_S = 120.0
LATENCY_S = 60.0
DRAIN_S = 3_600.0
ROWS = 1_000
TENTHS = 10
#: No handle has the hyphen, so nobody else can be called so.
NAMED = "bench-"
_WORKER = """
import sys
import django
from django.conf import settings
settings.DATABASES["default"]["NAME"] = sys.argv[1]
django.setup()
from xsocial.celery import app
app.worker_main(["worker", "-c", "1", "-Q", "grox.realtime", "-l", "ERROR", "--without-gossip", "--without-mingle"])
"""


@contextmanager
def author() -> Iterator[User]:
    """An account that is gone, with all its posts, when the block ends; as are those that killed runs left."""
    for left in User.objects.filter(username__startswith=NAMED):
        left.delete()
    account = User.objects.create(username=f"{NAMED}{uuid4().hex[:8]}", display_name="Benchmark")
    try:
        yield account
    finally:
        account.delete()


@contextmanager
def worker() -> Iterator[int]:
    """A Celery worker of one child for new posts, on this database; yields its process id."""
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-W", "ignore", "-c", _WORKER, connection.settings_dict["NAME"]]
    process = subprocess.Popen(command, cwd=settings.BASE_DIR, env=environment)
    try:
        yield process.pid
    finally:
        process.terminate()
        process.wait()


@contextmanager
def dispatcher() -> Iterator[Dispatcher]:
    """Relay and dispatcher, each in a thread."""
    relay, dispatching = Relay(), Dispatcher("bench")
    threads = [threading.Thread(target=each.run) for each in (relay, dispatching)]
    for thread in threads:
        thread.start()
    try:
        yield dispatching
    finally:
        for each in (relay, dispatching):
            each.stop()
        for thread in threads:
            thread.join()


def until_labelled(account: User, texts: Sequence[str]) -> list[float]:
    """Milliseconds from each post to its label, one post after the other."""
    return [_until_labelled(account, text, LATENCY_S) for text in texts]


def warm_up(account: User, text: str) -> None:
    """Wait for the worker's first answer, which loads the models."""
    _until_labelled(account, text, WORKER_STARTS_S)


def _until_labelled(account: User, text: str, patience_s: float) -> float:
    started = time.perf_counter()
    post = create_post(author=account, text=text)
    _wait(lambda: bool(screened([post.pk])), patience_s)
    return 1000 * (time.perf_counter() - started)


@dataclass(frozen=True)
class Drained:
    """How long it took, and the memory of the worker's child in MB after each tenth of the posts."""

    seconds: float
    memory_mb: list[float]


def drain(account: User, texts: Sequence[str], dispatching: Dispatcher, pid: int) -> Drained:
    """Label a backlog of posts that nobody has looked at, all of it waiting at the start."""
    post_ids = [ids.next_id() for _ in texts]
    now = clock.now()
    Post.objects.bulk_create(
        (
            Post(pk=pk, author=account, text=text, conversation_id=pk, created_at=now)
            for pk, text in zip(post_ids, texts, strict=True)
        ),
        batch_size=ROWS,
    )
    started = time.perf_counter()
    for pk in post_ids:
        dispatching.waiting.put(Stream.REALTIME, pk)
    memory_mb: list[float] = []

    def is_done() -> bool:
        left = len(dispatching.waiting) + BATCH * in_flight.count()
        if left <= len(texts) * (1 - (len(memory_mb) + 1) / TENTHS):
            memory_mb.append(held_mb(pid))
        return not left

    _wait(is_done, DRAIN_S, every_s=0.1)
    seconds = time.perf_counter() - started
    if missing := len(post_ids) - len(screened(post_ids)):
        raise RuntimeError(f"{missing} posts of the backlog were not labelled")
    return Drained(seconds, memory_mb)


def peak_mb(pid: int) -> float:
    """The most memory that a process or one of its children has held, in MB."""
    return _memory_mb(pid, "VmHWM")


def held_mb(pid: int) -> float:
    """The memory that the largest of a process and its children holds now, in MB."""
    return _memory_mb(pid, "VmRSS")


def _memory_mb(pid: int, kind: str) -> float:
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    statuses = [Path(f"/proc/{each}/status").read_text().splitlines() for each in (str(pid), *children)]
    return max(int(line.split()[1]) for lines in statuses for line in lines if line.startswith(kind)) / 1024


def _wait(condition: Callable[[], bool], patience_s: float, *, every_s: float = LOOK_EVERY_S) -> None:
    deadline = time.monotonic() + patience_s
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError("the worker did not get there in time")
        time.sleep(every_s)

"""Whole requests through the site in this process, middleware and templates included, beside their JSON.

Everything happens in one transaction that is rolled back, so the world stays as it was; what follows a
For You page (its receipt, the served history) is written as ever, after the response and outside the clock.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import cycle, islice
from secrets import token_hex

from django.db import transaction
from django.http import HttpResponse
from django.test import Client, override_settings

from accounts.models import Follow, User
from feed import rehearsal
from feed.benchmarks import percentiles
from feed.benchmarks.for_you import drain, forget, wait_for_thunder
from posts.models import Engagement, Post
from posts.types import EngagementKind, Visibility
from xsocial.kernel.errors import Unavailable

VIEWERS = 5
WARM_UPS = 3


@dataclass(frozen=True)
class Reader:
    """Somebody with a browser."""

    user: User
    browser: Client

    def get(self, path: str) -> HttpResponse:
        return self.browser.get(path)

    def press(self, path: str, **fields: str) -> HttpResponse:
        """POST as the page's script does."""
        return self.browser.post(path, fields, headers={"HX-Request": "true"})


def run(*, rounds: int) -> dict:
    """Percentiles per kind of request; ``ratio`` is the median over that of the same posts as JSON.

    ``cpu_p50_ms`` is the time of the thread that answers; a For You page has others beside it.
    """
    with site() as readers:
        if not readers:
            return {}
        cases: dict[str, dict] = {}
        for name, path, json_path, is_fresh in _pages():
            page, json = (_timed_pages(readers, asked, rounds, is_fresh) for asked in (path, json_path))
            cases[name] = page | {"ratio": round(page["p50_ms"] / json["p50_ms"], 2)}
            cases[f"{name}_as_json"] = json
        reader = readers[0]
        for name, act in (("like", _likes), ("follow", _follows), ("post", _posts)):
            cases[name] = _figures(islice(act(reader, rounds), rounds))
        return cases


@contextmanager
def site() -> Iterator[list[Reader]]:
    """Signed-in readers who follow many, on a world that is put back at the end."""
    people = User.objects.filter(following_count__gt=0, is_active=True).order_by("-following_count", "id")[:VIEWERS]
    wait_for_thunder()
    rehearsal.page()
    rehearsal.settle()
    with override_settings(DEBUG=False, ALLOWED_HOSTS=["localhost"]), transaction.atomic():
        readers = [Reader(user, Client(SERVER_NAME="localhost")) for user in people]
        for reader in readers:
            reader.browser.force_login(reader.user)
        yield readers
        transaction.set_rollback(True)


def _pages() -> Iterator[tuple[str, str, str, bool]]:
    """Name, page, the same as JSON, and whether candidates are fetched afresh."""
    open_posts = Post.objects.filter(visibility=Visibility.PUBLIC, deleted_at=None, in_reply_to=None, repost_of=None)
    root = open_posts.filter(author__is_locked=False).select_related("author").order_by("-counts__replies", "-id")[0]
    author = f"/@{root.author.username}"
    yield "for_you_fresh", "/", "/api/v1/timelines/for_you", True
    yield "for_you_cached", "/", "/api/v1/timelines/for_you", False
    yield "following", "/following", "/api/v1/timelines/home", False
    yield "profile", author, f"/api/v1/accounts/{root.author_id}/statuses", False
    yield "thread", f"{author}/{root.pk}", f"/api/v1/statuses/{root.pk}/context", False


def _timed_pages(readers: list[Reader], path: str, rounds: int, is_fresh: bool) -> dict[str, float]:
    def pages() -> Iterator[Callable[[], HttpResponse]]:
        for reader in cycle(readers):
            if is_fresh:
                forget(reader.user)
            yield lambda reader=reader: reader.get(path)

    todo = pages()
    for call in islice(todo, WARM_UPS + len(readers)):
        call()
        drain()
    return _figures(islice(todo, rounds))


def _likes(reader: Reader, rounds: int) -> Iterator[Callable[[], HttpResponse]]:
    liked = Engagement.objects.filter(user=reader.user, kind=EngagementKind.FAVORITE).values("post_id")
    posts = Post.objects.filter(visibility=Visibility.PUBLIC, deleted_at=None, repost_of=None, author__is_locked=False)
    for post_id in posts.exclude(pk__in=liked).order_by("-id").values_list("pk", flat=True)[:rounds]:
        yield lambda post_id=post_id: reader.press(f"/posts/{post_id}/like", surface="1")


def _follows(reader: Reader, rounds: int) -> Iterator[Callable[[], HttpResponse]]:
    known = Follow.objects.filter(follower=reader.user).values("followee_id")
    strangers = User.objects.filter(is_active=True, is_locked=False).exclude(pk__in=known).exclude(pk=reader.user.pk)
    for username in strangers.order_by("id").values_list("username", flat=True)[:rounds]:
        yield lambda username=username: reader.press(f"/@{username}/follow")


def _posts(reader: Reader, rounds: int) -> Iterator[Callable[[], HttpResponse]]:
    for number in range(rounds):
        yield lambda number=number: reader.press(
            "/compose", text=f"Measured, number {number}", key=token_hex(8), visibility=Visibility.PUBLIC
        )


def _figures(calls: Iterator[Callable[[], HttpResponse]]) -> dict[str, float]:
    """Wall time of each call, and the thread's own; Raises Unavailable when one goes wrong."""
    walls, cpus = [], []
    for call in calls:
        wall, cpu = time.perf_counter(), time.thread_time()
        answer = call()
        walls.append((time.perf_counter() - wall) * 1000)
        cpus.append((time.thread_time() - cpu) * 1000)
        if answer.status_code not in (200, 204):
            raise Unavailable(f"{answer.request['PATH_INFO']} answered {answer.status_code}.")
        drain()
    return percentiles(walls) | {"cpu_p50_ms": percentiles(cpus)["p50_ms"]} if walls else {}

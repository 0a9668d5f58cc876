"""Thunder as the feed asks it: cold load, following the log, refusals, and PostgreSQL in its place."""

import threading
import time

import numpy as np
import pytest

from feed.thunder import service
from feed.thunder.listener import Listener
from feed.thunder.post_store import PostStore
from feed.thunder.service import Embedded
from posts import services as posts
from posts.selectors import hydration
from posts.selectors.hydration import MIN_VIDEO_MS
from tests.factories import PostFactory, UserFactory
from xsocial.kernel import clock
from xsocial.kernel.event_log import Tail
from xsocial.kernel.event_log.relay import relay_batch

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _postgresql_answers():
    service.use(None)
    yield
    service.use(None)


@pytest.fixture
def thread():
    """A conversation among three people, and the ids a viewer who follows the second gets."""
    first, second, third = (UserFactory() for _ in range(3))
    root = PostFactory(author=first)
    answer = PostFactory(author=second, in_reply_to=root)
    deeper = PostFactory(author=third, in_reply_to=answer)
    PostFactory(author=second, in_reply_to=deeper)  # answers neither an original nor the root
    own = PostFactory(author=second)
    PostFactory(author=second, visibility="direct", text="psst")
    return second, [own.pk, answer.pk]


def ask(author, **options):
    found = service.recent_posts(
        viewer_id=1, following=np.array([author.pk]), exclude=np.empty(0, np.int64), max_results=50, **options
    )
    return found.post_id.tolist()


def embedded():
    backend = Embedded(PostStore())
    service.use(backend)
    return backend


def test_postgresql_answers_under_the_same_rules(thread):
    author, expected = thread
    assert ask(author) == expected
    backend = embedded()
    backend.listener.load()
    backend.listener.ready = True
    assert ask(author) == expected


def test_before_it_is_ready_postgresql_answers(thread):
    author, expected = thread
    backend = embedded()
    assert ask(author) == expected
    assert backend.store.sizes().posts == 0


def test_when_every_permit_is_taken_it_refuses_and_postgresql_answers(thread):
    author, expected = thread
    backend = embedded()
    backend.listener.ready = True
    taken = [backend._permits.acquire(blocking=False) for _ in range(service.MAX_WAITING)]
    assert all(taken)
    assert ask(author) == expected


@pytest.fixture
def following():
    """An embedded Thunder whose listener follows the log in its own thread."""
    backend = embedded()
    backend.listener.load = lambda: Tail()  # what is in the test's transaction no other thread sees
    backend.listener.start()
    _until(lambda: service.state() == "ok")
    yield backend
    backend.listener.stop()


def test_when_the_listener_stops_postgresql_answers_and_the_probes_say_so(thread, following, client):
    author, expected = thread
    assert ask(author) == []  # from memory, which was filled from nowhere
    assert client.get("/readyz").json()["thunder"] == "ok"
    assert b"xsocial_thunder_ready 1.0" in client.get("/metrics").content
    following.listener.stop()
    assert ask(author) == expected
    probe = client.get("/readyz")
    assert (probe.status_code, probe.json()["thunder"]) == (200, "the listener has stopped")
    assert b"xsocial_thunder_ready 0.0" in client.get("/metrics").content


@pytest.mark.parametrize(("silent_s", "behind_s", "words"), [(6, 0, "nothing heard for 6 s"), (0, 11, "11 s behind")])
def test_a_listener_that_lags_answers_no_more(thread, silent_s, behind_s, words):
    author, expected = thread
    listener = embedded().listener
    listener.ready, listener._thread = True, threading.current_thread()
    assert (service.state(), ask(author)) == ("ok", [])
    listener._heard_at, listener.behind_s = time.monotonic() - silent_s, behind_s
    assert service.state() == words
    assert ask(author) == expected


def test_an_error_nobody_foresaw_begins_anew_instead_of_ending_the_thread(monkeypatch):
    monkeypatch.setattr("feed.thunder.listener.RETRY_S", 0.01)
    backend, failures = embedded(), iter([ValueError("a strange event")])

    def load():
        for failure in failures:
            raise failure
        return Tail()

    backend.listener.load = load
    backend.listener.start()
    _until(lambda: service.state() == "ok")
    backend.listener.stop()


def _until(holds, seconds=10.0):
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.005)


def test_it_follows_the_event_log(django_capture_on_commit_callbacks):
    author = UserFactory()
    listener = Listener(PostStore())
    tail = listener.load()
    post, gone = PostFactory(author=author), PostFactory(author=author)
    posts.delete_post(actor=author, post=gone)
    relay_batch()
    listener.apply(tail.read(block_ms=1))
    assert post.pk in listener.store
    assert gone.pk not in listener.store
    listener.maintain()
    assert listener.store.sizes().authors == 1


def test_events_between_snapshot_and_log_are_harmless_twice():
    author = UserFactory()
    PostFactory(author=author)
    listener = Listener(PostStore())
    tail = listener.load()
    relay_batch()
    listener.apply(tail.read(block_ms=1))
    assert listener.store.sizes().posts == 1


def test_a_restart_during_ingest_ends_with_the_same_posts():
    author = UserFactory()
    before, gone = PostFactory(author=author), PostFactory(author=author)
    first = Listener(PostStore())
    tail = first.load()
    posts.delete_post(actor=author, post=gone)
    after = PostFactory(author=author)
    relay_batch()
    tail.read(block_ms=1, count=1)  # read, but the process ends before it is applied
    second = Listener(PostStore())
    second.apply(second.load().read(block_ms=1))
    assert [post.pk in second.store for post in (before, gone, after)] == [True, False, True]


def test_answers_batches_and_sizes_are_exported(thread, client):
    author, expected = thread
    backend = embedded()
    backend.listener.load()
    backend.listener.ready = True
    before = exported(client)
    assert ask(author) == expected
    PostFactory(author=author)
    relay_batch()
    backend.listener.apply(Tail("0-0").read(block_ms=1))
    after = exported(client)
    grown = {name for name, value in after.items() if value > before.get(name, 0.0)}
    assert {f"xsocial_thunder_{name}_count" for name in ANSWER_FIGURES} <= grown
    assert after["xsocial_thunder_returned_sum"] - before.get("xsocial_thunder_returned_sum", 0) == len(expected)
    assert after['xsocial_thunder_size{what="originals"}'] == 2
    assert after["xsocial_thunder_in_flight"] == 0


ANSWER_FIGURES = (
    *("following", "excluded", "wanted", "returned", "kept_share", "reply_share", "authors", "posts_per_author"),
    *("freshness_seconds", "span_seconds", "lookup_seconds", "ingest_seconds", "batch_seconds"),
)


def exported(client):
    lines = client.get("/metrics").content.decode().splitlines()
    pairs = (line.rsplit(" ", 1) for line in lines if not line.startswith("#"))
    return {name.replace('{path="authors"}', ""): float(value) for name, value in pairs}


def test_the_cold_load_reads_in_chunks():
    author = UserFactory()
    for _ in range(5):
        PostFactory(author=author)
    chunks = list(hydration.recent_posts(newer_than_ms=clock.now_ms() - 60_000, chunk=2))
    assert [chunk.shape for chunk in chunks] == [(9, 2), (9, 2), (9, 1)]
    assert MIN_VIDEO_MS == 5_000

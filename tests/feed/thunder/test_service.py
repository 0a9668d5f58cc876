"""Thunder as the feed asks it: cold load, following the log, refusals, and PostgreSQL in its place."""

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


def test_the_cold_load_reads_in_chunks():
    author = UserFactory()
    for _ in range(5):
        PostFactory(author=author)
    chunks = list(hydration.recent_posts(newer_than_ms=clock.now_ms() - 60_000, chunk=2))
    assert [len(chunk) for chunk in chunks] == [2, 2, 1]
    assert MIN_VIDEO_MS == 5_000

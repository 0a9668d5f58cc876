"""What is stored of posts for retrieval: which are indexed, and both stores that are searched."""

import numpy as np
import pytest
from django.db import connection

from accounts import services as accounts
from posts import services as posts
from ranking import registry, tasks
from ranking.content import ContentCache, vectors
from ranking.models import PostVector
from ranking.retrieval import indexer, vector_store
from ranking.retrieval.window import RetrievalWindow
from ranking.row_cache import RowCache
from ranking.serving import live
from tests.factories import PostFactory, UserFactory
from tests.ranking.versions import embed, register
from xsocial.kernel import clock

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("own_models")]


def test_replies_reposts_and_private_posts_are_not_indexed():
    root = PostFactory()
    PostFactory(in_reply_to=root)
    PostFactory(visibility="private")
    posts.repost(user=UserFactory(), post=root)
    registry.promote(register("retrieval"))
    assert list(PostVector.objects.values_list("post_id", flat=True)) == [root.pk]


def test_only_what_strangers_may_open_is_indexed():
    author = UserFactory()
    open_post = PostFactory(author=author)
    PostFactory(author=UserFactory(offers_subscriptions=True), subscribers_only=True)
    PostFactory(author=UserFactory(is_locked=True))
    version = registry.promote(register("retrieval"))
    live_model = live.retrieval.get()
    assert set(PostVector.objects.values_list("post_id", flat=True)) == {open_post.pk}
    for is_locked in (True, False):
        accounts.update_profile(user=author, is_locked=is_locked)
        tasks.index_new_posts()
        assert PostVector.objects.get(model=version).is_active is not is_locked
        live_model.refresh(wait=True)
        assert len(live_model.window) == int(not is_locked)


def test_a_post_is_encoded_again_when_its_content_arrives():
    post = PostFactory()
    version = registry.promote(register("retrieval"))
    before = PostVector.objects.get()
    embed(post, 5)
    assert indexer.index_window(version.pk, registry.load(version)) == 1
    after = PostVector.objects.get()
    assert (before.has_content, after.has_content) == (False, True)
    assert not np.allclose(before.vector, after.vector)
    assert indexer.index_window(version.pk, registry.load(version)) == 0


def test_content_is_read_in_the_order_asked_for():
    first, second, bare = PostFactory(), PostFactory(), PostFactory()
    embed(first, 0)
    embed(second, 1)
    ids = np.array([second.pk, bare.pk, first.pk])
    rows = vectors(ids)
    assert rows.argmax(axis=1)[[0, 2]].tolist() == [1, 0]
    assert not rows[1].any()
    cache = ContentCache(capacity=1)
    np.testing.assert_array_equal(cache.get(ids), rows)
    np.testing.assert_array_equal(cache.get(ids), rows)


def test_a_reply_is_read_half_as_what_it_answers():
    root = PostFactory()
    answer = PostFactory(in_reply_to=root)
    thanks = PostFactory(in_reply_to=answer)
    for place, post in enumerate((root, answer, thanks)):
        embed(post, place)
    alone = PostFactory(in_reply_to=PostFactory())
    embed(alone, 3)
    rows = vectors(np.array([root.pk, answer.pk, thanks.pk, alone.pk]))
    half = np.sqrt(0.5)
    assert rows[0, 0] == rows[3, 3] == 1.0
    np.testing.assert_allclose(rows[1:3, :3], [[half, half, 0], [half, 0, half]], atol=1e-6)
    np.testing.assert_array_equal(ContentCache().get(np.array([thanks.pk])), rows[2:3])


def unit(count: int, seed: int = 0) -> np.ndarray:
    made = np.random.default_rng(seed).normal(size=(count, 64)).astype(np.float32)
    return made / np.linalg.norm(made, axis=1, keepdims=True)


@pytest.fixture(params=["window", "pgvector"])
def store(request):
    """One contract, two back ends, filled with the same thirty posts."""
    ids, created, rows = np.arange(1, 31), np.arange(1000, 1030), unit(30)
    if request.param == "window":
        window = RetrievalWindow(64)
        window.put(ids, created, rows)
        return window.search, rows
    version = register("retrieval")
    vector_store.write(version.pk, ids=ids, created_ms=created, vectors=rows, has_content=np.ones(30, bool))
    return lambda vector, **options: vector_store.search(version.pk, vector, **options), rows


class TestSearchContract:
    none = np.zeros(0, np.int64)

    def test_the_best_come_first_with_their_inner_products(self, store):
        search, rows = store
        ids, scores = search(rows[4], k=5, newer_than_ms=0, exclude_ids=self.none)
        expected = np.argsort(-(rows @ rows[4]), kind="stable")[:5]
        assert ids.tolist() == (expected + 1).tolist()
        np.testing.assert_allclose(scores, (rows @ rows[4])[expected], atol=1e-5)

    def test_age_exclusion_and_restriction(self, store):
        search, rows = store
        ids, _ = search(rows[4], k=30, newer_than_ms=1010, exclude_ids=np.array([20]))
        assert sorted(ids.tolist()) == [i for i in range(11, 31) if i != 20]
        ids, _ = search(rows[4], k=30, newer_than_ms=0, exclude_ids=self.none, only_ids=np.array([3, 7]))
        assert sorted(ids.tolist()) == [3, 7]

    def test_nothing_left_is_an_empty_answer(self, store):
        search, rows = store
        ids, scores = search(rows[0], k=5, newer_than_ms=5000, exclude_ids=self.none)
        assert (len(ids), len(scores)) == (0, 0)


def test_a_window_grows_replaces_removes_and_forgets():
    window = RetrievalWindow(64)
    rows = unit(10_000)
    ids = np.arange(1, 10_001)
    for start in range(0, 10_000, 2500):
        window.put(ids[start : start + 2500], ids[start : start + 2500], rows[start : start + 2500])
    window.put(ids[:1], ids[:1], rows[9999:])
    window.remove(np.array([10_000, 77_777]))
    found, _ = window.search(rows[9999], k=1, newer_than_ms=0, exclude_ids=ids[:0])
    assert found.tolist() == [1]
    found, _ = window.search(rows[9999], k=1, newer_than_ms=0, exclude_ids=np.array([1, 77_777]))
    best = np.argsort(-(rows[1:9999] @ rows[9999]), kind="stable")[0] + 2
    assert found.tolist() == [best]
    window.forget_before(9_001)
    assert len(window) == 999


def test_a_row_cache_keeps_the_rows_stored_last():
    cache = RowCache(2, capacity=1500)
    ids = np.arange(1, 1801)
    cache.put(ids[:1200], np.stack([ids[:1200], -ids[:1200]], axis=1))
    cache.put(ids[:1], np.array([[7.0, 7.0]]))
    cache.put(ids[1200:], np.stack([ids[1200:], -ids[1200:]], axis=1))
    rows, known = cache.get(np.array([1, 300, 301, 1800, 99_999]))
    assert known.tolist() == [False, False, True, True, False]
    assert rows.tolist() == [[0, 0], [0, 0], [301, -301], [1800, -1800], [0, 0]]
    assert len(cache) == 1500
    cache.put(np.array([302, 5000]), np.array([[1.0, 2.0], [3.0, 4.0]]))
    assert cache.get(np.array([301, 302, 5000]))[0].tolist() == [[0, 0], [1, 2], [3, 4]]


def test_old_vectors_are_deleted():
    version = register("retrieval")
    ids = np.array([1, 2])
    created = np.array([0, clock.now_ms()])
    vector_store.write(version.pk, ids=ids, created_ms=created, vectors=unit(2), has_content=np.ones(2, bool))
    assert indexer.forget_old(version.pk) == 1
    with connection.cursor() as cursor:
        cursor.execute("SELECT post_id FROM ranking_postvector")
        assert cursor.fetchall() == [(2,)]

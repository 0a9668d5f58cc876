"""Registry, retrieval stores and the two services, on a real database with untrained models."""

import dataclasses
import json
from datetime import timedelta
from io import StringIO

import numpy as np
import pytest
import torch
from django.contrib import admin
from django.contrib.auth.models import Permission
from django.core.management import CommandError, call_command
from django.db import connection
from django.urls import reverse
from prometheus_client import REGISTRY
from structlog.testing import capture_logs

from accounts import services as accounts
from accounts.models import User
from posts import services as posts
from posts.models import PostEmbedding
from posts.types import Surface
from ranking import registry, services, tasks
from ranking.admin import ModelVersionAdmin
from ranking.content import ContentCache, vectors
from ranking.features import CANDIDATE_FEATURES
from ranking.models import ModelVersion, PostVector
from ranking.phoenix import artifacts
from ranking.phoenix.actions import action_names
from ranking.phoenix.artifacts import build_model
from ranking.phoenix.batch import Candidates, TrainableTables
from ranking.retrieval import indexer, vector_store
from ranking.retrieval.window import RetrievalWindow
from ranking.row_cache import RowCache
from ranking.sequences import action_sequence
from ranking.serving import checkpoint, live
from ranking.training.presets import xsocial_config
from ranking.types import CandidateColumns, Taste
from tests.factories import PostFactory, UserFactory
from xsocial.kernel import clock
from xsocial.kernel.errors import Conflict, NotFound, Unavailable

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def fresh(settings, tmp_path):
    """Models in a folder of the test's own, nothing live before or after."""
    settings.DATA_DIR = tmp_path
    live.reset()
    yield
    live.reset()


def register(kind, *, seed=0, **changes) -> ModelVersion:
    torch.manual_seed(seed)
    config = xsocial_config(kind, num_layers=1, history=8, users=64, items=64, authors=64).replace(**changes)
    made = checkpoint.in_memory(build_model(config), TrainableTables(config))
    return registry.register(made, training={}, metrics={})


def embed(post, place: int) -> None:
    vector = np.zeros(384, dtype=np.float32)
    vector[place] = 1
    PostEmbedding.objects.create(post=post, model="minilm_v1", vector=vector)


def columns(written) -> CandidateColumns:
    return CandidateColumns(
        post_ids=np.array([post.pk for post in written]),
        author_ids=np.array([post.author_id for post in written]),
        created_ms=np.array([clock.to_ms(post.created_at) for post in written]),
        surface=int(Surface.HOME_FOR_YOU),
    )


class TestRegistry:
    def test_one_version_of_a_kind_serves_and_the_former_can_come_back(self):
        first, second = register("ranker"), register("ranker", seed=1)
        registry.promote(first)
        registry.promote(second)
        assert registry.promoted("ranker") == second
        registry.promote(registry.previous("ranker"))
        assert registry.promoted("ranker") == first
        assert ModelVersion.objects.get(pk=second.pk).status == "retired"

    def test_a_changed_file_cannot_be_promoted(self):
        version = register("ranker")
        path = checkpoint.models_dir() / version.path / checkpoint.WEIGHTS
        data = bytearray(path.read_bytes())
        data[-1] ^= 1
        path.write_bytes(data)
        with pytest.raises(Conflict, match="not the file that was registered"):
            registry.promote(version)

    def test_old_files_make_room_and_say_so(self):
        versions = [registry.promote(register("ranker", seed=seed)) for seed in range(4)]
        assert registry.forget_files("ranker", keep=1) == [versions[1].name, versions[0].name]
        assert sorted(path.name for path in checkpoint.models_dir().iterdir()) == sorted(v.name for v in versions[2:])
        versions[0].refresh_from_db()
        with pytest.raises(Conflict, match="deleted to make room"):
            registry.promote(versions[0])

    def test_unknown_names_are_not_found(self):
        with pytest.raises(NotFound):
            registry.by_name("nobody")
        with pytest.raises(NotFound):
            registry.previous("ranker")

    def test_a_checkpoint_comes_back_as_it_was(self):
        version = register("retrieval")
        loaded = registry.load(version)
        torch.manual_seed(0)
        again = build_model(loaded.model.config)
        for name, value in again.state_dict().items():
            assert torch.equal(value, loaded.model.state_dict()[name])


class TestServices:
    def test_without_a_model_both_are_unavailable(self):
        sequence = action_sequence(1, before_ms=clock.now_ms(), max_length=8)
        with pytest.raises(Unavailable):
            services.retrieve(user_id=1, sequence=sequence, k=5, newer_than_ms=0)
        with pytest.raises(Unavailable):
            services.score(user_id=1, sequence=sequence, candidates=columns([PostFactory()]), now_ms=clock.now_ms())

    def test_every_candidate_gets_every_head_by_name(self):
        registry.promote(register("ranker"))
        viewer, written = UserFactory(), [PostFactory() for _ in range(5)]
        posts.favorite(user=viewer, post=written[0])
        embed(written[1], 3)
        now_ms = clock.now_ms() + 1
        sequence = action_sequence(viewer.pk, before_ms=now_ms, max_length=8)
        scores = services.score(user_id=viewer.pk, sequence=sequence, candidates=columns(written), now_ms=now_ms)
        assert scores.probabilities.shape == (5, len(scores.heads))
        assert ((scores.probabilities > 0) & (scores.probabilities < 1)).all()
        assert scores.head("favorite").shape == (5,)
        assert scores.head("no_such_head") is None
        assert set(scores.continuous_names) >= {"dwell_time", "click_dwell_time"}
        alone = services.score(user_id=viewer.pk, sequence=sequence, candidates=columns(written[2:3]), now_ms=now_ms)
        np.testing.assert_allclose(alone.probabilities[0], scores.probabilities[2], atol=1e-6)

    @pytest.mark.parametrize("features", [CANDIDATE_FEATURES, CANDIDATE_FEATURES[:-4]], ids=["now", "before"])
    def test_a_taste_counts_for_a_ranker_that_knows_it_and_not_for_one_from_before(self, features):
        registry.promote(register("ranker", candidate_feature_names=features))
        post, now_ms = PostFactory(), clock.now_ms()
        embed(post, 3)
        sequence = action_sequence(1, before_ms=now_ms, max_length=8)
        asked = {"user_id": 1, "sequence": sequence, "candidates": columns([post]), "now_ms": now_ms}
        plain = services.score(**asked).probabilities
        leaning = Taste.none(1, 384)
        leaning.content[0, :, 3] = 0.02
        told = services.score(**asked, taste=leaning.halved()).probabilities
        assert np.array_equal(plain, told) == (features is not CANDIDATE_FEATURES)

    def test_scoring_takes_few_queries_whatever_the_number(self, django_assert_max_num_queries):
        registry.promote(register("ranker"))
        written = [PostFactory() for _ in range(8)]
        sequence = action_sequence(1, before_ms=clock.now_ms(), max_length=8)
        services.score(user_id=1, sequence=sequence, candidates=columns(written[:1]), now_ms=clock.now_ms())
        with django_assert_max_num_queries(4):
            services.score(user_id=1, sequence=sequence, candidates=columns(written), now_ms=clock.now_ms())

    def test_a_promotion_is_picked_up(self, monkeypatch):
        monkeypatch.setattr(live, "POLL_SECONDS", 0.0)
        first, second = register("ranker"), register("ranker", seed=1)
        registry.promote(first)
        assert live.ranker.get().version == first.name
        registry.promote(second)
        assert live.ranker.get().version == second.name

    def test_a_withdrawn_model_leaves_service_and_comes_back(self, monkeypatch):
        monkeypatch.setattr(live, "POLL_SECONDS", 0.0)
        version = registry.promote(register("ranker"))
        assert services.ranker_version() == version.name
        registry.withdraw("ranker")
        assert services.ranker_version() == ""
        with pytest.raises(Unavailable, match="No ranker model is promoted"):
            services.score(
                user_id=1,
                sequence=action_sequence(1, before_ms=clock.now_ms(), max_length=8),
                candidates=columns([PostFactory()]),
                now_ms=clock.now_ms(),
            )
        with pytest.raises(NotFound):
            registry.withdraw("ranker")
        registry.promote(registry.previous("ranker"))
        assert services.ranker_version() == version.name

    def test_retrieval_leaves_out_what_is_excluded_old_or_deleted(self, monkeypatch):
        monkeypatch.setattr(live, "MISSED_SECONDS", 0.0)
        written = [PostFactory() for _ in range(6)]
        version = registry.promote(register("retrieval"))
        sequence = action_sequence(1, before_ms=clock.now_ms(), max_length=8)

        def found(**options):
            asked = {"k": 10, "newer_than_ms": 0, **options}
            return services.retrieve(user_id=1, sequence=sequence, **asked)

        assert sorted(found().ids.tolist()) == [post.pk for post in written]
        assert found().model == version.name
        assert (np.diff(found().scores) <= 0).all()
        assert written[0].pk not in found(exclude_ids=np.array([written[0].pk])).ids
        assert len(found(newer_than_ms=clock.now_ms() + 60_000).ids) == 0
        assert len(found(k=2).ids) == 2
        posts.delete_post(actor=written[1].author, post=written[1])
        late = PostFactory()
        tasks.index_new_posts()
        assert written[1].pk not in found().ids
        assert late.pk in found().ids


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


def uses(kind: str, result: str) -> float:
    return REGISTRY.get_sample_value("xsocial_ranking_cache_uses_total", {"kind": kind, "result": result}) or 0.0


def test_stored_parts_of_posts_and_contexts_are_used_and_counted():
    registry.promote(register("ranker"))
    written = [PostFactory() for _ in range(3)]
    embed(written[0], 3)
    sequence = action_sequence(1, before_ms=clock.now_ms(), max_length=8)
    now_ms = clock.now_ms()

    keys = [(kind, result) for kind in ("context", "projection") for result in ("hit", "miss")]
    before = [uses(*key) for key in keys]
    asked = {"user_id": 1, "sequence": sequence, "candidates": columns(written), "now_ms": now_ms}
    first, second = services.score(**asked), services.score(**asked)
    # A post whose content may still come is not kept.
    assert [uses(*key) - was for key, was in zip(keys, before, strict=True)] == [1, 1, 1, 5]
    np.testing.assert_allclose(first.probabilities, second.probabilities, atol=1e-6)


def test_a_post_is_projected_when_it_is_indexed_and_again_with_its_content():
    first, reply = PostFactory(), PostFactory(in_reply_to=PostFactory())
    embed(first, 3)
    version = registry.promote(register("ranker"))
    assert set(version.projections.values_list("post_id", "has_content")) == {
        (first.pk, True),
        (reply.pk, False),
        (reply.in_reply_to_id, False),
    }
    model = live.ranker.get()
    embed(reply, 4)
    late = PostFactory()
    embed(late, 5)
    tasks.index_new_posts()
    model.refresh()
    asked = columns([first, reply, late])
    before = uses("projection", "miss")
    ready = Candidates(*(torch.from_numpy(each[None]) for each in (asked.post_ids, asked.author_ids, np.zeros(3, int))))
    stored = model.projections(ready)
    assert uses("projection", "miss") == before
    content = torch.from_numpy(vectors(asked.post_ids))[None]
    torch.testing.assert_close(stored, model.runtime.project(dataclasses.replace(ready, content=content)))
    with clock.fixed(clock.now() + timedelta(days=4)):
        assert tasks.forget_old_vectors() == 4
    assert not version.projections.exists()


def test_an_export_is_read_back_as_it_was(tmp_path):
    written, folder = PostFactory(), tmp_path / "export"
    versions = {kind: registry.promote(register(kind)) for kind in ("retrieval", "ranker")}
    call_command("phoenix_export", str(folder), stdout=StringIO())
    for kind, version in versions.items():
        exported, original = artifacts.load(folder / kind, kind), registry.load(version)
        assert exported.config == original.model.config
        for name, value in original.model.state_dict().items():
            assert torch.equal(exported.model.state_dict()[name], value), name
        for entity, table in original.tables.arrays.items():
            assert np.array_equal(exported.tables.arrays[entity], table)
    corpus = artifacts.load_corpus(folder / "sports_corpus.npz", emb_size=exported.config.emb_size)
    assert corpus.post_ids.tolist() == [written.pk]
    assert corpus.author_ids.tolist() == [written.author_id]
    example = artifacts.load_sequence(folder / "example_sequence.json")
    assert (example.post_ids, example.author_ids) == ([written.pk], [written.author_id])
    assert not User.objects.filter(pk=example.user_id).exists()
    out = StringIO()
    call_command("phoenix_run", str(folder), "--json", stdout=out)
    assert [row["post_id"] for row in json.loads(out.getvalue())] == [str(written.pk)]


def test_the_example_of_an_export_can_be_somebodys_history(tmp_path):
    reader, liked = UserFactory(username="reader"), PostFactory()
    posts.favorite(user=reader, post=liked)
    for kind in ("retrieval", "ranker"):
        registry.promote(register(kind))
    call_command("phoenix_export", str(tmp_path), "--viewer", "Reader", stdout=StringIO())
    example = artifacts.load_sequence(tmp_path / "example_sequence.json")
    config = artifacts.read_config(tmp_path / "ranker")
    assert (example.user_id, example.post_ids) == (reader.pk, [liked.pk])
    assert example.actions == [{action_names(config).index("favorite"): 1.0}]
    with pytest.raises(CommandError, match="nobody"):
        call_command("phoenix_export", str(tmp_path), "--viewer", "stranger")


def test_a_model_from_before_a_head_existed_serves_without_it():
    config = xsocial_config("ranker", num_layers=1, history=8, users=64, items=64, authors=64)
    names, lasting = config.action_names[:20], config.continuous_names[:3]
    config = config.replace(num_actions=20, action_names=names, num_continuous=3, continuous_names=lasting)
    made = checkpoint.in_memory(build_model(config), TrainableTables(config))
    registry.promote(registry.register(made, training={}, metrics={}))
    with capture_logs() as said:
        sequence = action_sequence(1, before_ms=clock.now_ms(), max_length=8)
        asked = columns([PostFactory()])
        scores = services.score(user_id=1, sequence=sequence, candidates=asked, now_ms=clock.now_ms())
    assert (scores.heads, scores.continuous_names) == (names, lasting)
    missing = next(line["heads"] for line in said if line["event"] == "ranking.heads_missing")
    assert missing == ["video_open", "open_link", "post_unexplored", "active_secs_5m_residual_norm"]


def test_old_vectors_are_deleted():
    version = register("retrieval")
    ids = np.array([1, 2])
    created = np.array([0, clock.now_ms()])
    vector_store.write(version.pk, ids=ids, created_ms=created, vectors=unit(2), has_content=np.ones(2, bool))
    assert indexer.forget_old(version.pk) == 1
    with connection.cursor() as cursor:
        cursor.execute("SELECT post_id FROM ranking_postvector")
        assert cursor.fetchall() == [(2,)]


def test_looking_at_models_is_not_promoting_them(client, settings):
    settings.STAFF_SECOND_FACTOR_REQUIRED = False
    model, watcher = register("ranker"), UserFactory(is_staff=True)
    watcher.user_permissions.set(Permission.objects.filter(codename="view_modelversion"))
    client.force_login(watcher, backend="django.contrib.auth.backends.ModelBackend")
    models = reverse("admin:ranking_modelversion_changelist")
    assert client.post(models, {"action": "promote", "_selected_action": [model.pk]}).status_code == 200
    assert registry.promoted("ranker") is None


def test_the_admin_promotes_and_reports_what_cannot_be(rf, monkeypatch):
    page = ModelVersionAdmin(ModelVersion, admin.site)
    said = []
    monkeypatch.setattr(page, "message_user", lambda request, text, level=None: said.append(text))
    good, broken = register("ranker"), register("retrieval")
    (checkpoint.models_dir() / broken.path / checkpoint.WEIGHTS).unlink()
    page.promote(rf.get("/"), ModelVersion.objects.order_by("id"))
    assert registry.promoted("ranker") == good
    assert registry.promoted("retrieval") is None
    assert "serves" in said[0]
    assert "cannot be used" in said[1]
    assert page.ndcg(good) == "-"

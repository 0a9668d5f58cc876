"""The two services on a real database with untrained models, and what they keep in memory."""

import dataclasses
from datetime import timedelta

import numpy as np
import pytest
import torch
from prometheus_client import REGISTRY
from structlog.testing import capture_logs

from posts import services as posts
from ranking import registry, services, tasks
from ranking.content import vectors
from ranking.features import CANDIDATE_FEATURES
from ranking.phoenix.artifacts import build_model
from ranking.phoenix.batch import Candidates, TrainableTables
from ranking.sequences import action_sequence
from ranking.serving import checkpoint, live
from ranking.training.presets import xsocial_config
from ranking.types import Taste
from tests.factories import PostFactory, UserFactory
from tests.ranking.versions import columns, embed, register
from xsocial.kernel import clock
from xsocial.kernel.errors import NotFound, Unavailable

BEFORE_TASTES = CANDIDATE_FEATURES[: CANDIDATE_FEATURES.index("similarity_looked")]

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("own_models")]


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
        np.testing.assert_allclose(alone.probabilities[0], scores.probabilities[2], atol=2e-6)  # features included

    @pytest.mark.parametrize("features", [CANDIDATE_FEATURES, BEFORE_TASTES], ids=["now", "before"])
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

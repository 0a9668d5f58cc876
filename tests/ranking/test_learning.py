"""From the database to a promoted model, and from there to its child."""

from datetime import timedelta

import pytest

from posts.models import Impression
from ranking import registry, tasks
from ranking.models import ModelVersion
from ranking.serving import live
from ranking.training import continuous, gates, run
from ranking.training.presets import TrainingSettings, xsocial_config
from xsocial.kernel import clock, ids
from xsocial.kernel.errors import NotFound, Unavailable

pytestmark = pytest.mark.django_db


def tiny(kind):
    return xsocial_config(kind, num_layers=1, history=6, users=32, items=64, authors=32)


@pytest.fixture(autouse=True)
def small(monkeypatch, settings, tmp_path):
    """Tiny models in a folder of the test's own, content with few page loads."""
    settings.DATA_DIR = tmp_path
    for module in (run, continuous):
        monkeypatch.setattr(module, "xsocial_config", tiny)
    monkeypatch.setattr(run, "MIN_IMPRESSIONS", 20)
    live.reset()
    yield
    live.reset()


@pytest.mark.usefixtures("morning")
def test_a_child_goes_on_from_its_parent_and_serves_when_the_gates_hold(noon, monkeypatch):
    settings = TrainingSettings(minutes=0, epochs=1, batch_requests=8, random_negatives=8, shard_impressions=90)
    trained = run.run(run.plan(settings), quiet=True)
    assert trained.versions["ranker"].training["until_ms"] < clock.to_ms(noon)
    assert set(trained.versions["ranker"].training["calibration_methods"]) == set(
        trained.versions["ranker"].config["action_names"]
    )
    assert trained.versions["retrieval"].config["item_ids_below"] == ids.id_at(
        trained.versions["ranker"].training["until_ms"]
    )
    assert not list(run.folder().glob("*.safetensors"))
    for version in trained.versions.values():
        registry.promote(version)
    # What was held out, and an hour later: that is what is new.
    late = [
        Impression(
            user_id=i.user_id,
            post_id=i.post_id,
            author_id=i.author_id,
            request_id=i.request_id + 900,
            position=i.position,
            surface=1,
            created_at=i.created_at + timedelta(hours=7),
        )
        for i in Impression.objects.all()[:80]
    ]
    Impression.objects.bulk_create(late)
    seen = []
    monkeypatch.setattr(gates, "failures", lambda kind, figures, serving: seen.append((kind, serving)) or [])
    with clock.fixed(noon + timedelta(hours=9)):
        names = continuous.learn()
    children = [registry.by_name(name) for name in names]
    assert [child.parent for child in children] == list(trained.versions.values())
    assert children[0].training["from_ms"] == trained.versions["ranker"].training["until_ms"]
    assert {kind: serving["model"] for kind, serving in seen} == {v.kind: v.name for v in trained.versions.values()}
    assert "compared_with" in registry.promoted("ranker").metrics
    assert registry.previous("ranker") == trained.versions["ranker"]


@pytest.mark.usefixtures("morning")
def test_one_kind_can_be_trained_alone():
    settings = TrainingSettings(minutes=0, epochs=1, batch_requests=8, random_negatives=8)
    for kind in ("retrieval", "ranker"):
        trained = run.run(run.plan(settings, kinds=[kind]), quiet=True)
        assert list(trained.versions) == [kind]
        assert trained.versions[kind].training["steps"]
        assert trained.versions[kind].metrics


@pytest.mark.usefixtures("morning")
def test_a_rejected_child_changes_nothing(monkeypatch):
    monkeypatch.setattr(gates, "failures", lambda kind, figures, serving: ["auc"])
    assert continuous.learn(minutes=0.02) == []
    assert set(ModelVersion.objects.values_list("status", flat=True)) == {"rejected"}
    assert ModelVersion.objects.first().metrics["failed_gates"] == ["auc"]
    assert registry.promoted("ranker") is None


def test_too_little_to_learn_from_is_said_and_harmless():
    with pytest.raises(Unavailable, match="training needs 20"):
        run.plan(TrainingSettings())
    with pytest.raises(NotFound, match="no training run to resume"):
        run.unfinished()
    assert tasks.train_incremental() == []

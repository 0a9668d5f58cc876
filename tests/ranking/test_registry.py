"""Versions of models: registered, promoted, brought back, kept and forgotten; and their page in the admin."""

import pytest
import torch
from django.contrib import admin
from django.contrib.auth.models import Permission
from django.urls import reverse

from ranking import registry
from ranking.admin import ModelVersionAdmin
from ranking.models import ModelVersion
from ranking.phoenix.artifacts import build_model
from ranking.serving import checkpoint
from tests.factories import UserFactory
from tests.ranking.versions import register
from xsocial.kernel.errors import Conflict, NotFound

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("own_models")]


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

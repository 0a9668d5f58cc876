"""A checkpoint in the published layout: read back as it was, with an example to run it with."""

import json
from io import StringIO

import numpy as np
import pytest
import torch
from django.core.management import CommandError, call_command

from accounts.models import User
from posts import services as posts
from ranking import registry
from ranking.phoenix import artifacts
from ranking.phoenix.actions import action_names
from tests.factories import PostFactory, UserFactory
from tests.ranking.versions import register

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("own_models")]


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

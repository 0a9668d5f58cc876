"""Models of random shape and requests full of odd values against the formulas written out in NumPy."""

import json

import numpy as np
import pytest
import torch

from ranking.phoenix import artifacts, reference
from ranking.phoenix.artifacts import published_slots
from ranking.phoenix.batch import Candidates, Context
from ranking.phoenix.config import PhoenixConfig
from ranking.phoenix.hashing import signed_ids
from ranking.phoenix.inference import RankerRuntime
from tests.ranking.phoenix import oracle

ODD_IDS = np.array([1, 2**31, 2**62 + 7, 2**63, 2**63 + 11, 2**64 - 1], dtype=np.uint64)
ODD_IDS_OR_NOBODY = np.concatenate([ODD_IDS, np.zeros(1, np.uint64)])


def drawn_config(kind: str, rng: np.random.Generator, *, anchored: bool) -> dict:
    """Sizes that are nowhere equal by accident; the key size is not emb_size / heads."""
    hashes = {entity: int(rng.integers(1, 4)) for entity in ("user", "item", "author")}
    params = {}
    for entity, count in hashes.items():
        params[f"{entity}_hash_scales"] = rng.integers(1, 1 << 31, count).tolist()
        params[f"{entity}_biases"] = rng.integers(0, 1 << 31, count).tolist()
        params[f"{entity}_modulus"] = int(rng.integers(1 << 20, 1 << 32))
    return {
        "model_type": kind,
        "emb_size": int(rng.choice([8, 12, 24, 33])),
        "num_layers": int(rng.integers(1, 4)),
        "num_heads": int(rng.integers(1, 4)),
        "key_size": int(rng.choice([2, 6, 16, 20])),
        "history_seq_len": int(rng.integers(1, 9)),
        "candidate_seq_len": int(rng.integers(1, 5)),
        "num_actions": int(rng.integers(1, 23)),
        "product_surface_vocab_size": int(rng.integers(1, 9)),
        "post_age_granularity_mins": int(rng.choice([7, 45, 60, 5000])),
        **{f"{entity}_vocab_size": int(rng.integers(2, 60)) for entity in hashes},
        **{f"num_{entity}_hashes": count for entity, count in hashes.items()},
        "hash_params": params,
        "right_anchored_rope": anchored,
    }


def write(folder, raw: dict, rng: np.random.Generator) -> tuple[dict, dict]:
    """An artifact of random weights under the published names; gains of any sign, row 0 full of traps."""
    config = PhoenixConfig.from_dict(raw).replace(num_continuous=int(rng.integers(2, 10)), dwell_hidden=5)
    shapes = {name: tuple(p.shape) for name, p in artifacts.empty_model(config).named_parameters()}
    arrays = {}
    for name, slot in published_slots(config).items():
        shape = shapes[slot.parameter]
        if slot.columns:
            shape = (shape[0], slot.columns[1] - slot.columns[0])
        arrays[name] = rng.normal(scale=shape[0] ** -0.5 if len(shape) > 1 else 1, size=shape).astype(np.float32)
    size = config.emb_size
    tables = {
        f"{entity}_embeddings": rng.normal(size=(raw[f"{entity}_vocab_size"], size)).astype(np.float32)
        for entity in ("user", "item", "author")
    }
    for table in tables.values():
        table[0] = 7
    np.savez(folder / "model_params.npz", **arrays)
    np.savez_compressed(folder / "embedding_tables.npz", **tables)
    (folder / "config.json").write_text(json.dumps(raw))
    return arrays, tables


def drawn_request(raw: dict, rng: np.random.Generator, *, length: int, user_id: int) -> dict:
    size, num_actions = raw["history_seq_len"], raw["num_actions"]
    valid = np.arange(size) < length
    actions = rng.choice([0, 0, 1, 0.5, -2.0, 3.0], (size, num_actions))
    actions[0] = 0
    return {
        "user_id": user_id,
        "post_ids": rng.choice(ODD_IDS, size) * valid.astype(np.uint64),
        "author_ids": rng.choice(ODD_IDS_OR_NOBODY, size),
        "actions": actions,
        "surface": rng.integers(-3, 12, size),
        "dwell": rng.choice([-5.0, 0.0, 3.5, 30.0, 900.0], size),
    }


def context(request: dict) -> Context:
    return Context(
        user_ids=torch.tensor([request["user_id"]]),
        post_ids=torch.from_numpy(signed_ids(request["post_ids"])[None]),
        author_ids=torch.from_numpy(signed_ids(request["author_ids"])[None]),
        actions=torch.from_numpy(request["actions"][None].astype(np.float32)),
        surface=torch.from_numpy(request["surface"][None]),
        dwell_seconds=torch.from_numpy(request["dwell"][None].astype(np.float32)),
    )


def drawn_candidates(rng: np.random.Generator, count: int) -> list[dict]:
    now = 1_790_000_000
    return [
        {
            "post_id": int(rng.choice(ODD_IDS)),
            "author_id": int(rng.choice(ODD_IDS_OR_NOBODY)),
            "surface": int(rng.integers(-3, 12)),
            "impression": int(rng.choice([now, 0, now])),
            "creation": int(rng.choice([now - 59, now - 45 * 60 * 106, now - 10**6, now + 1, 0])),
        }
        for _ in range(count)
    ]


def batch(candidates: list[dict]) -> Candidates:
    def column(name: str) -> torch.Tensor:
        values = np.array([c[name] for c in candidates], dtype=np.uint64 if name.endswith("_id") else np.int64)
        return torch.from_numpy(signed_ids(values)[None])

    return Candidates(
        post_ids=column("post_id"),
        author_ids=column("author_id"),
        surface=column("surface"),
        impression_seconds=column("impression"),
        creation_seconds=column("creation"),
    )


@pytest.mark.parametrize("anchored", [False, True])
@pytest.mark.parametrize("seed", range(6))
def test_a_ranker_of_any_shape_equals_the_formulas(tmp_path, seed, anchored):
    rng = np.random.default_rng(seed)
    raw = drawn_config("ranker", rng, anchored=anchored)
    arrays, tables = write(tmp_path, raw, rng)
    loaded = artifacts.load(tmp_path, "ranker")
    length = [0, 1, raw["history_seq_len"]][seed % 3]
    request = drawn_request(raw, rng, length=length, user_id=0 if seed == 4 else 12345)
    candidates = drawn_candidates(rng, int(rng.integers(1, 12)))
    runtime = RankerRuntime(loaded.model, loaded.tables, slot_chunk=raw["candidate_seq_len"])
    served = runtime.rank_batch(context(request), batch(candidates))
    slow = reference.rank(loaded.model, context(request), batch(candidates), loaded.tables)
    for place, candidate in enumerate(candidates):
        slot = place % raw["candidate_seq_len"]
        logits, continuous = oracle.rank(raw, arrays, tables, request, candidate, slot)
        for output in (served, slow):
            np.testing.assert_allclose(output.logits[0, place], logits, atol=1e-4)
            np.testing.assert_allclose(output.continuous[0, place], continuous, atol=1e-5)


@pytest.mark.parametrize("seed", range(4))
def test_towers_of_any_shape_equal_the_formulas(tmp_path, seed):
    rng = np.random.default_rng(seed)
    raw = drawn_config("retrieval", rng, anchored=False)
    arrays, tables = write(tmp_path, raw, rng)
    loaded = artifacts.load(tmp_path, "retrieval")
    for length, user_id in ((0, 5), (0, 0), (raw["history_seq_len"], 2**62)):
        request = drawn_request(raw, rng, length=length, user_id=user_id)
        with torch.inference_mode():
            vector = loaded.model.encode_user(context(request), loaded.tables).vectors[0]
        np.testing.assert_allclose(vector, oracle.user_vector(raw, arrays, tables, request), atol=1e-5)
    posts = torch.from_numpy(signed_ids(ODD_IDS))
    with torch.inference_mode():
        vectors = loaded.model.encode_posts(posts, posts.flip(0), loaded.tables)
    for place, (post, author) in enumerate(zip(ODD_IDS, ODD_IDS[::-1], strict=True)):
        expected = oracle.post_vector(raw, arrays, tables, int(post), int(author))
        np.testing.assert_allclose(vectors[place], expected, atol=1e-5)

"""Runs every case of a golden file through the models and reports the largest error of each array.

A golden file names its arrays case/part/name; the cases are found in the file, not listed here. Each
ranker case is computed twice: by the slow reference and by the cached, blocked serving path.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from ranking.phoenix import reference
from ranking.phoenix.artifacts import (
    Artifact,
    load_corpus,
    load_sequence,
)
from ranking.phoenix.batch import Candidates, Context
from ranking.phoenix.config import DWELL_COLUMN, PhoenixConfig
from ranking.phoenix.hashing import hash_ids, signed_ids, unified_rows
from ranking.phoenix.inference import RankerRuntime
from ranking.phoenix.npz import ArtifactError, NpzFile
from ranking.phoenix.pipeline import PipelineResult, run_pipeline
from ranking.phoenix.recsys_model import PhoenixRanker, post_age_bucket
from ranking.phoenix.recsys_retrieval_model import top_k

Array = npt.NDArray[Any]
Case = dict[str, Array]

LOGIT_TOLERANCE = 5e-4
PROBABILITY_TOLERANCE = 1e-4
VECTOR_TOLERANCE = 1e-5
HIDDEN_TOLERANCE = 5e-4
NEAR_TIE = 1e-5
ENTITY_OF = {"user": "user", "post": "item", "author": "author", "item": "item"}
# Recorded to show the effect of the type; no target.
NOT_TARGETS = ("out_bfloat16", "pipeline_bfloat16")
# What arrays of a wrong shape or a missing array end in.
UNFIT = (KeyError, IndexError, ValueError, RuntimeError)


@dataclass(frozen=True)
class Finding:
    """Largest error of one array against its golden value; `None` tolerance means not compared."""

    case: str
    array: str
    error: float
    tolerance: float

    @property
    def holds(self) -> bool:
        return self.error <= self.tolerance


def read_golden(path: Path) -> dict[str, Case]:
    """All arrays of a golden file by case; raises ArtifactError."""
    cases: dict[str, Case] = {}
    with NpzFile(path) as file:
        for name in file.members:
            case, _, rest = name.partition("/")
            if not rest:
                raise file.fail(name, "not named case/part/name")
            cases.setdefault(case, {})[rest] = file.read(name)
    if not cases:
        raise ArtifactError(f"{path}: holds no golden arrays")
    return cases


def verify(*, retrieval: Artifact, ranker: Artifact, folder: Path, golden: Path) -> Iterator[Finding]:
    """One finding per golden array, case by case."""
    for name, case in read_golden(golden).items():
        if name in NOT_TARGETS:
            continue
        try:
            yield from _verify_case(name, case, retrieval, ranker, folder)
        except UNFIT as error:
            raise ArtifactError(f"{golden}: case {name} does not fit the artifacts ({error})") from None


def _verify_case(name: str, case: Case, retrieval: Artifact, ranker: Artifact, folder: Path) -> Iterator[Finding]:
    if "ids" in case:
        yield from _verify_hashes(name, case, (ranker.config, retrieval.config))
    elif "retrieved_post_ids" in case:
        yield from _verify_pipeline(name, case, retrieval, ranker, folder)
    elif "in/candidate_post_ids" in case:
        yield from _verify_ranker(name, case, ranker)
    elif "in/user_ids" in case:
        yield from _verify_retrieval(name, case, retrieval, folder)
    else:
        raise ArtifactError(f"case {name} is of no known kind")


def _difference(actual: Any, expected: Array, mask: Array | None = None) -> float:
    actual = np.asarray(actual)
    if actual.shape != expected.shape:
        return float("inf")
    delta = np.abs(actual.astype(np.float64) - expected.astype(np.float64))
    if mask is not None:
        delta = delta[mask]
    return float(np.nan_to_num(delta, nan=np.inf).max(initial=0.0))


def _unified(ids: Array, entity: str, config: PhoenixConfig) -> Array:
    return unified_rows(hash_ids(ids, getattr(config, f"{entity}_hash")), entity=entity, config=config)


def _verify_hashes(name: str, case: Case, configs: tuple[PhoenixConfig, ...]) -> Iterator[Finding]:
    """The case does not say whose hash functions it shows, where the two models' differ."""
    for entity in ("user", "item", "author"):
        if entity in case:
            errors = [_difference(_unified(case["ids"], entity, config), case[entity]) for config in configs]
            yield Finding(name, entity, min(errors), 0)


def _verify_case_hashes(name: str, case: Case, config: PhoenixConfig) -> Iterator[Finding]:
    for key, expected in case.items():
        part, _, field = key.partition("/")
        if part == "hash":
            stem = field.removesuffix("_hashes")
            entity = ENTITY_OF[stem.rpartition("_")[2]]
            yield Finding(name, key, _difference(_unified(case[f"in/{stem}_ids"], entity, config), expected), 0)


def _tensor(case: Case, field: str, dtype: torch.dtype) -> Tensor | None:
    array = case.get(f"in/{field}")
    if array is None:
        return None
    if dtype == torch.int64:
        array = signed_ids(array)
    return torch.from_numpy(np.ascontiguousarray(array)).to(dtype)


def _required(case: Case, field: str, dtype: torch.dtype) -> Tensor:
    value = _tensor(case, field, dtype)
    if value is None:
        raise ArtifactError(f"golden input {field} is missing")
    return value


def case_context(case: Case) -> Context:
    """The user and history of a golden case."""
    continuous = _tensor(case, "history_continuous_actions", torch.float32)
    return Context(
        user_ids=_required(case, "user_ids", torch.int64),
        post_ids=_required(case, "history_post_ids", torch.int64),
        author_ids=_required(case, "history_author_ids", torch.int64),
        actions=_required(case, "history_actions", torch.float32),
        surface=_required(case, "history_product_surface", torch.int64),
        dwell_seconds=None if continuous is None else continuous[..., DWELL_COLUMN],
        user_ip_rows=_tensor(case, "user_ip_embeddings", torch.float32),
    )


def case_candidates(case: Case) -> Candidates:
    """The candidates of a golden case."""
    return Candidates(
        post_ids=_required(case, "candidate_post_ids", torch.int64),
        author_ids=_required(case, "candidate_author_ids", torch.int64),
        surface=_required(case, "candidate_product_surface", torch.int64),
        impression_seconds=_tensor(case, "candidate_impr_ts", torch.int64),
        creation_seconds=_tensor(case, "candidate_post_creation_ts", torch.int64),
    )


@torch.inference_mode()
def _verify_ranker(name: str, case: Case, artifact: Artifact) -> Iterator[Finding]:
    yield from _verify_case_hashes(name, case, artifact.config)
    context, candidates = case_context(case), case_candidates(case)
    if "expected_bucket" in case:
        bucket = post_age_bucket(candidates, artifact.config.post_age_granularity_mins)
        yield Finding(name, "expected_bucket", _difference(bucket, case["expected_bucket"]), 0)
    yield from _verify_rows(name, case, artifact, context, candidates)
    for part, anchored in (("out_default", False), ("out_right_anchored", True)):
        if any(key.startswith(part + "/") for key in case):
            model = with_options(artifact, right_anchored=anchored, use_log="dwell_log" in name)
            yield from _verify_outputs(name, case, part, model, artifact, context, candidates)


def _verify_rows(
    name: str, case: Case, artifact: Artifact, context: Context, candidates: Candidates
) -> Iterator[Finding]:
    sources = {
        "user": (artifact.tables.user, context.user_ids),
        "history_post": (artifact.tables.item, context.post_ids),
        "history_author": (artifact.tables.author, context.author_ids),
        "candidate_post": (artifact.tables.item, candidates.post_ids),
        "candidate_author": (artifact.tables.author, candidates.author_ids),
    }
    for stem, (lookup, ids) in sources.items():
        key = f"looked_up/{stem}_embeddings"
        if key in case:
            yield Finding(name, key, _difference(lookup(ids)[0], case[key]), 0)


def with_options(artifact: Artifact, *, right_anchored: bool, use_log: bool) -> PhoenixRanker:
    """The same weights under other options that are not part of the published config."""
    config = artifact.config.replace(right_anchored_rope=right_anchored, dwell_use_log=use_log)
    with torch.device("meta"):
        model = PhoenixRanker(config)
    model.load_state_dict(artifact.model.state_dict(), assign=True)
    return model.eval()


def _verify_outputs(
    name: str,
    case: Case,
    part: str,
    model: PhoenixRanker,
    artifact: Artifact,
    context: Context,
    candidates: Candidates,
) -> Iterator[Finding]:
    trace = reference.rank_chunk(model, context, candidates, artifact.tables, keep=True)
    tokens = trace.padding_mask.numpy()
    offered = tokens[:, context.post_ids.shape[1] + 1 :]
    for key, expected in case.items():
        prefix, _, field = key.partition("/")
        if prefix == part and field not in ("logits", "continuous_preds"):
            actual, tolerance, mask = _traced(trace, field, tokens)
            yield Finding(name, key, _difference(actual, expected, mask), tolerance)
    runtime = RankerRuntime(model, artifact.tables)
    exact = runtime.rank_batch(context, candidates)
    for route, output in (("reference", trace.output), ("exact", exact)):
        for field, actual in (
            ("logits", output.logits),
            ("continuous_preds", output.continuous),
        ):
            expected = case.get(f"{part}/{field}")
            if expected is None:
                continue
            label = f"{part}/{field} ({route})"
            if field == "logits":
                yield Finding(name, label, _difference(actual, expected, offered), LOGIT_TOLERANCE)
                label = f"{part}/probabilities ({route})"
                actual, expected = (
                    actual.sigmoid(),
                    1 / (1 + np.exp(-expected.astype(np.float64))),
                )
            yield Finding(
                name,
                label,
                _difference(actual, expected, offered),
                PROBABILITY_TOLERANCE,
            )


def _traced(trace: reference.Trace, field: str, tokens: Array) -> tuple[Any, float, Array | None]:
    """A traced array by its golden name; hidden states are compared on valid tokens only."""
    if field == "padding_mask":
        return trace.padding_mask, 0, None
    if field == "positions":
        return trace.positions, 0, None
    if field.startswith("layer_"):
        number = int(field.split("_")[1])
        kept = trace.attentions if field.endswith("_attention") else trace.layers
        return kept[number], HIDDEN_TOLERANCE, tokens
    named = {
        "input_embeddings": trace.input_embeddings,
        "transformer_out": trace.transformer_out,
    }
    if field not in named:
        raise ArtifactError(f"golden output {field} is of no known kind")
    return named[field], HIDDEN_TOLERANCE, tokens


@torch.inference_mode()
def _verify_retrieval(name: str, case: Case, artifact: Artifact, folder: Path) -> Iterator[Finding]:
    yield from _verify_case_hashes(name, case, artifact.config)
    corpus = load_corpus(folder / "sports_corpus.npz", emb_size=artifact.config.emb_size)
    user = artifact.model.encode_user(case_context(case), artifact.tables)
    scores = user.vectors @ torch.from_numpy(corpus.vectors).T
    for key, actual in (
        ("out/user_representation", user.vectors),
        ("out/user_norm", user.norm),
        ("out/corpus_scores", scores),
    ):
        if key in case:
            yield Finding(name, key, _difference(actual, case[key]), VECTOR_TOLERANCE)
    mask = case.get("in/corpus_mask")
    masks = {
        "out": None,
        "out_masked": None if mask is None else torch.from_numpy(mask),
    }
    for key, expected in case.items():
        part, _, field = key.partition("/")
        if field.endswith("_indices") and part in masks:
            yield from _verify_top(name, case, key, expected, scores, masks[part])
    for key, expected in case.items():
        if key.startswith("mean_pool_representations"):
            vectors = _mean_pooled(artifact, corpus.post_ids, corpus.author_ids, len(expected))
            yield Finding(name, key, _difference(vectors, expected), VECTOR_TOLERANCE)


def _mean_pooled(artifact: Artifact, post_ids: Array, author_ids: Array, count: int) -> Tensor:
    config = artifact.config.replace(linear_candidate_tower=False)
    with torch.device("meta"):
        model = type(artifact.model)(config)
    model.load_state_dict(artifact.model.state_dict(), assign=True, strict=False)
    posts, authors = (
        torch.from_numpy(post_ids[:count]),
        torch.from_numpy(author_ids[:count]),
    )
    return model.encode_posts(posts, authors, artifact.tables)


def _verify_top(
    name: str,
    case: Case,
    key: str,
    expected: Array,
    scores: Tensor,
    mask: Tensor | None,
) -> Iterator[Finding]:
    order, values = top_k(scores, expected.shape[1], mask)
    reached = np.take_along_axis(scores.numpy(), expected.astype(np.int64), axis=1)
    yield Finding(
        name,
        key,
        _order_error(order.numpy(), expected, values.numpy(), reached),
        NEAR_TIE,
    )
    scores_key = key.replace("_indices", "_scores")
    if scores_key in case:
        yield Finding(name, scores_key, _difference(values, case[scores_key]), VECTOR_TOLERANCE)


def _order_error(actual: Array, expected: Array, values: Array, reached: Array) -> float:
    """How far apart the scores are where two orders differ; near ties may swap."""
    differs = actual != expected
    return float(np.abs(values.astype(np.float64) - reached)[differs].max(initial=0.0))


def _verify_pipeline(name: str, case: Case, retrieval: Artifact, ranker: Artifact, folder: Path) -> Iterator[Finding]:
    result = run_pipeline(
        retrieval=retrieval,
        ranker=ranker,
        corpus=load_corpus(folder / "sports_corpus.npz", emb_size=retrieval.config.emb_size),
        sequence=load_sequence(folder / "example_sequence.json"),
        top_k=int(case["top_k"]) if "top_k" in case else len(case["retrieved_post_ids"]),
    )
    yield from _verify_pipeline_values(name, case, result)
    for key, actual, score in (
        ("retrieved_post_ids", result.retrieved_post_ids, result.retrieval_scores),
        ("final_post_ids", result.final_post_ids, result.final_scores),
    ):
        position = {int(post): score[i] for i, post in enumerate(actual)}
        reached = np.array([position.get(int(post), np.inf) for post in case[key]])
        yield Finding(name, key, _order_error(actual, case[key], score, reached), NEAR_TIE)


def _verify_pipeline_values(name: str, case: Case, result: PipelineResult) -> Iterator[Finding]:
    for key, actual, tolerance in (
        ("user_representation", result.user_representation, VECTOR_TOLERANCE),
        ("corpus_scores", result.corpus_scores, VECTOR_TOLERANCE),
        ("probs_in_retrieval_order", result.probabilities, PROBABILITY_TOLERANCE),
        ("weighted_in_retrieval_order", result.weighted, 2 * PROBABILITY_TOLERANCE),
        (
            "final_score_printed",
            np.round(result.final_scores, 4),
            2 * PROBABILITY_TOLERANCE,
        ),
        (
            "final_retrieval_score_printed",
            np.round(result.final_retrieval_scores, 4),
            PROBABILITY_TOLERANCE,
        ),
    ):
        if key in case:
            yield Finding(name, key, _difference(actual, case[key]), tolerance)

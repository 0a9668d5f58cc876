"""Serving: the context once with its keys and values kept, candidates as single query tokens in blocks.

Exact: the softmax of a candidate sees the same logits as in one masked pass, because a masked key
contributes exactly nothing. Padded history is dropped before the trunk (positions keep their numbers).
The capped logits lie within +-30, so the softmax needs no maximum and is normalised after the sum.
All layers are one compiled call (`kernels`). With `dtype=torch.bfloat16` the operands of the products are
held in reduced precision; residuals, norms and sums stay float32.

Blocks are worked off by threads of their own, one per core, which all runtimes of the process share:
within a thread nothing waits for another, and many requests at once never take more than the cores.

Shapes: N tokens, D embedding, H heads, K key size, T valid context tokens, F feed-forward width.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from ranking.phoenix import kernels
from ranking.phoenix.batch import Candidates, Context, Tables
from ranking.phoenix.config import ATTENTION_CAP, ATTENTION_MULTIPLIER
from ranking.phoenix.kernels import Phases, Weights
from ranking.phoenix.recsys_model import PhoenixRanker, RankerOutput
from ranking.phoenix.tokens import CandidateTokens
from ranking.phoenix.transformer import Layer, context_positions, rotation

# Fewer rows are not worth a thread of their own.
MIN_BLOCK = 64

Batch = TypeVar("Batch", Context, Candidates)
Array = npt.NDArray[Any]


def num_workers() -> int:
    """Cores this process may use."""
    return len(os.sched_getaffinity(0))


@cache
def workers() -> ThreadPoolExecutor:
    """One thread per core, each of which computes its matrix products alone."""
    count = num_workers()
    ready = threading.Barrier(count + 1)

    def alone() -> None:
        torch.get_num_threads()  # a thread takes the common setting at its first use, so that comes first
        torch.set_num_threads(1)
        ready.wait()

    before = torch.get_num_threads()
    pool = ThreadPoolExecutor(count, thread_name_prefix="phoenix", initializer=alone)
    for _ in range(count):
        pool.submit(int)
    ready.wait()
    # The setting is also the default of threads to come, which are not ours.
    torch.set_num_threads(before)
    return pool


# Threads do not survive a fork; a child starts its own.
os.register_at_fork(after_in_child=workers.cache_clear)


@dataclass(frozen=True)
class ServingContext:
    """One user's context: of every layer the rotated keys [L, H, K, T] and the values [L, H, T, K], valid
    tokens only, bfloat16 as uint16.

    `end` is the position after the history, where candidates begin; `profile` [D] what was liked, for
    models that match contents.
    """

    keys: Array
    values: Array
    end: int
    profile: Tensor | None = None

    @property
    def nbytes(self) -> int:
        return self.keys.nbytes + self.values.nbytes


def _as_array(tensor: Tensor, dtype: torch.dtype = torch.float32) -> Array:
    """A tensor as the kernels see it, in the given precision."""
    converted = tensor.detach().to(dtype).contiguous()
    return (converted if dtype == torch.float32 else converted.view(torch.uint16)).numpy()


def _weights(layers: Iterable[Layer], dtype: torch.dtype) -> Weights:
    """The layers' matrices in serving precision."""

    def stacked(of: Callable[[Layer], Tensor], dtype: torch.dtype = torch.float32) -> Array:
        return _as_array(torch.stack([of(layer).detach() for layer in layers]), dtype)

    def gains(layer: Layer) -> Tensor:
        norms = (layer.attention_in_norm, layer.attention_out_norm, layer.ffn_in_norm, layer.ffn_out_norm)
        return torch.stack([norm.scale for norm in norms])

    def qkv(layer: Layer) -> Tensor:
        queries, others = layer.qkv.tensor_split([layer.qkv.shape[1] // 3], dim=1)
        return torch.cat([queries * (ATTENTION_MULTIPLIER / ATTENTION_CAP), others], dim=1)

    return Weights(
        stacked(gains),
        stacked(qkv, dtype),
        stacked(lambda layer: layer.attention_out),
        stacked(lambda layer: layer.ffn_in, dtype),
        stacked(lambda layer: layer.ffn_out, dtype),
    )


def _phases(positions: Tensor, slots: Array, key_size: int) -> Phases:
    turn, half = rotation(positions, key_size), key_size // 2
    return Phases(_as_array(turn.cos[:, :half]), _as_array(turn.sin[:, :half]), slots)


class RankerRuntime:
    """A ranker prepared for serving. Safe to share between threads.

    `slot_chunk` is the number of slots after which default positions start again, as the published
    pipeline assigns them; None lets them run on. Right-anchored models have no slots.
    """

    def __init__(
        self,
        model: PhoenixRanker,
        tables: Tables,
        *,
        dtype: torch.dtype = torch.float32,
        slot_chunk: int | None = None,
    ) -> None:
        self.model = model
        self.tables = tables
        self.dtype = dtype
        self.slot_chunk = slot_chunk
        self.tokens = CandidateTokens(model, tables)
        self._context_weights = _weights(model.transformer.layers, torch.float32)
        self._weights = _weights(model.transformer.layers, dtype)

    def encode(self, context: Context) -> ServingContext:
        """The context of a single user (B = 1)."""
        return workers().submit(self._encode, context).result()

    @torch.inference_mode()
    def _encode(self, context: Context) -> ServingContext:
        config = self.model.config
        bare = _without_padding(context)
        tokens, valid = self.model.context_tokens(bare, self.tables)
        profile = self.model.profile(bare)
        history_valid = context.post_ids != 0
        positions = context_positions(
            history_valid, history_len=config.history_seq_len, right_anchored=config.right_anchored_rope
        )[0]
        # An invalid user is seen by nobody, so what remains is valid and only causal.
        positions = positions[torch.cat([valid[0, :1], history_valid[0]])]
        rows = _as_array(tokens[0][valid[0]])
        count, shape = len(rows), (config.num_layers, config.num_heads)
        keys = torch.empty(*shape, config.key_size, count)
        values = torch.empty(*shape, count, config.key_size)
        phases = _phases(positions, np.arange(count), config.key_size)
        kernels.context(rows, self._context_weights, phases, keys.numpy(), values.numpy())
        return ServingContext(
            _as_array(keys, self.dtype),
            _as_array(values, self.dtype),
            1 + (config.history_seq_len if config.right_anchored_rope else history_valid.shape[1]),
            None if profile is None else profile[0],
        )

    @torch.inference_mode()
    def project(self, candidates: Candidates) -> Tensor:
        """The part [C, D] of the candidates' tokens that depends on the post alone and can be kept (B = 1)."""
        content = None if candidates.content is None else candidates.content[0]
        return self.tokens.project(candidates.post_ids[0], candidates.author_ids[0], content)

    @torch.inference_mode()
    def rank(self, context: ServingContext, candidates: Candidates, projections: Tensor | None = None) -> RankerOutput:
        """Logits and continuous predictions for candidates of one user (B = 1), block by block.

        `projections` [C, D] are what `project` gives, where it is known already.
        """
        count = candidates.post_ids.shape[1]
        phases = self._candidate_phases(count, context.end)
        size = _block_size(count)

        def answer(at: int) -> RankerOutput:
            rows = slice(at, at + size)
            known = None if projections is None else projections[rows]
            return self._answer(context, columns(candidates, rows), known, phases._replace(slots=phases.slots[rows]))

        blocks = [workers().submit(answer, at) for at in range(0, max(count, 1), size)]
        outputs = [block.result() for block in blocks]
        return RankerOutput(
            torch.cat([output.logits for output in outputs], dim=1),
            torch.cat([output.continuous for output in outputs], dim=1),
        )

    def rank_here(
        self, context: ServingContext, candidates: Candidates, projections: Tensor | None = None
    ) -> RankerOutput:
        """`rank` as a single block in the calling thread."""
        phases = self._candidate_phases(candidates.post_ids.shape[1], context.end)
        return self._answer(context, candidates, projections, phases)

    @torch.inference_mode()
    def _answer(
        self, context: ServingContext, candidates: Candidates, projections: Tensor | None, phases: Phases
    ) -> RankerOutput:
        x = self.tokens(candidates, projections, context.profile)
        kernels.candidates(x.numpy(), self._weights, context.keys, context.values, phases)
        return self.model.heads(x[None])

    def rank_batch(self, context: Context, candidates: Candidates) -> RankerOutput:
        """Several users one after the other; what tests and the pipeline script need."""
        outputs = [
            self.rank(self.encode(_row(context, row)), _row(candidates, row))
            for row in range(context.user_ids.shape[0])
        ]
        return RankerOutput(
            torch.cat([out.logits for out in outputs]),
            torch.cat([out.continuous for out in outputs]),
        )

    def _candidate_phases(self, count: int, start: int) -> Phases:
        """Right-anchored candidates share the place after the history; others have a slot each."""
        if self.model.config.right_anchored_rope:
            slots = np.zeros(count, np.int64)
        else:
            slots = np.arange(count) % (self.slot_chunk or max(count, 1))
        places = start + torch.arange(int(slots.max(initial=0)) + 1)
        return _phases(places, slots, self.model.config.key_size)


def _block_size(count: int) -> int:
    """Equal blocks, one per core where there is work for all."""
    cores = num_workers()
    return max(-(-count // cores) if count >= cores * MIN_BLOCK else count, 1)


def _row(batch: Batch, row: int) -> Batch:
    fields = {name: None if v is None else v[row : row + 1] for name, v in vars(batch).items()}
    return type(batch)(**fields)


def columns(candidates: Candidates, rows: slice | Tensor) -> Candidates:
    """Some of the candidates, for every user."""
    return Candidates(**{name: None if v is None else v[:, rows] for name, v in vars(candidates).items()})


def _without_padding(context: Context) -> Context:
    """The context of one user without its padded history items."""
    valid = context.post_ids[0] != 0
    fields = {
        name: value[:, valid]
        for name, value in vars(context).items()
        if value is not None and name not in ("user_ids", "user_ip_rows")
    }
    return Context(user_ids=context.user_ids, user_ip_rows=context.user_ip_rows, **fields)

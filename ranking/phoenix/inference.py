"""Serving: the context once with its keys and values kept, candidates as single query tokens in blocks.

Exact: the softmax of a candidate sees the same logits as in one masked pass, because a masked key
contributes exactly nothing. Padded history is dropped before the trunk (positions keep their numbers).
The capped logits lie within +-30, so the softmax needs no maximum and is normalised after the sum.
Matrix products are torch's, the steps between them are `kernels`. With `dtype=torch.bfloat16` the
operands of the products are held in reduced precision; residuals, norms and sums stay float32.

Blocks are worked off by threads of their own, one per core, which all runtimes of the process share:
within a thread nothing waits for another, and many requests at once never take more than the cores.

Shapes: N tokens, D embedding, H heads, K key size, T valid context tokens, F feed-forward width.
"""

from __future__ import annotations

import os
import threading
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
from ranking.phoenix.config import ATTENTION_CAP, ATTENTION_MULTIPLIER, PhoenixConfig
from ranking.phoenix.recsys_model import PhoenixRanker, RankerOutput
from ranking.phoenix.tokens import CandidateTokens
from ranking.phoenix.transformer import Layer, context_positions, rotation

# Rows of a block: its attention scores should stay in a core's cache, and threads should rarely meet.
MAX_BLOCK = 768
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
    """One user's context: per layer rotated keys [H, K, T] and values [H, T, K], valid tokens only.

    `end` is the position after the history, where candidates begin.
    """

    keys: tuple[Tensor, ...]
    values: tuple[Tensor, ...]
    end: int

    @property
    def nbytes(self) -> int:
        return sum(t.nbytes for t in (*self.keys, *self.values))


@dataclass(frozen=True)
class LayerWeights:
    """The matrices of one layer in serving precision; the cap's scale is folded into the queries."""

    gains: tuple[Array, ...]
    qkv: Tensor
    attention_out: Tensor
    ffn_in: Tensor
    ffn_out: Tensor


def _layer_weights(layer: Layer, dtype: torch.dtype) -> LayerWeights:
    qkv = layer.qkv.detach().clone()
    qkv[:, : qkv.shape[1] // 3] *= ATTENTION_MULTIPLIER / ATTENTION_CAP
    norms = (layer.attention_in_norm, layer.attention_out_norm, layer.ffn_in_norm, layer.ffn_out_norm)
    return LayerWeights(
        tuple(norm.scale.detach().numpy() for norm in norms),
        qkv.to(dtype),
        layer.attention_out.detach(),
        layer.ffn_in.detach().to(dtype),
        layer.ffn_out.detach().to(dtype),
    )


@dataclass(frozen=True)
class _Phases:
    """Cosines and sines [P, K / 2] of the positions in use, and which of them each token has [N]."""

    cos: Array
    sin: Array
    slots: Array

    def of(self, tokens: slice) -> _Phases:
        return _Phases(self.cos, self.sin, self.slots[tokens])


def _phases(positions: Tensor, slots: Array, key_size: int) -> _Phases:
    turn, half = rotation(positions, key_size), key_size // 2
    return _Phases(turn.cos[:, :half].contiguous().numpy(), turn.sin[:, :half].contiguous().numpy(), slots)


class _Buffer:
    """One array of a block, as torch writes it and as the kernels see it."""

    def __init__(self, *shape: int, dtype: torch.dtype) -> None:
        self.tensor = torch.empty(shape, dtype=dtype)
        same = self.tensor if dtype == torch.float32 else self.tensor.view(torch.uint16)
        self.array: Array = same.numpy()


class _Block:
    """The arrays for `size` tokens that attend to `context` others, and a layer's steps over them."""

    def __init__(self, config: PhoenixConfig, dtype: torch.dtype, size: int, context: int) -> None:
        heads, key_size, width = config.num_heads, config.key_size, config.ffn_size
        self.shape = (size, context)
        self.normed = _Buffer(size, config.emb_size, dtype=dtype)
        self.qkv = _Buffer(size, 3 * heads * key_size, dtype=dtype)
        self.q = _Buffer(heads, size, key_size, dtype=dtype)
        self.scores = _Buffer(heads, size, context, dtype=dtype)
        self.from_context = _Buffer(heads, size, key_size, dtype=dtype)
        # The attention's output product stays float32: its rounding would weigh most in the result.
        self.attended = _Buffer(size, heads * key_size, dtype=torch.float32)
        self.attention_out = _Buffer(size, config.emb_size, dtype=torch.float32)
        self.hidden = _Buffer(size, 2 * width, dtype=dtype)
        self.gated = _Buffer(size, width, dtype=dtype)
        self.out = _Buffer(size, config.emb_size, dtype=dtype)
        self.own: Array = np.zeros((size, heads), np.float32)
        self.totals: Array = np.empty((heads, size), np.float32)

    def start(self, layer: LayerWeights, rows: Array, phases: _Phases) -> None:
        """Queries, keys and values of the tokens."""
        kernels.norm(rows, layer.gains[0], self.normed.array)
        torch.mm(self.normed.tensor, layer.qkv, out=self.qkv.tensor)
        kernels.rotated(self.qkv.array, 0, phases.cos, phases.sin, phases.slots, self.q.array)

    def finish(self, layer: LayerWeights, rows: Array, keys: Tensor, values: Tensor, *, causal: bool) -> None:
        """Attention and feed-forward network, both added to the rows in place."""
        torch.bmm(self.q.tensor, keys, out=self.scores.tensor)
        kernels.attention_weights(self.scores.array, causal, self.totals)
        if self.shape[1]:
            torch.bmm(self.scores.tensor, values, out=self.from_context.tensor)
        else:
            self.from_context.tensor.zero_()
        kernels.attended(self.from_context.array, self.totals, self.qkv.array, self.own, self.attended.array)
        torch.mm(self.attended.tensor, layer.attention_out, out=self.attention_out.tensor)
        kernels.add_norm(rows, self.attention_out.array, layer.gains[1], layer.gains[2], self.normed.array)
        torch.mm(self.normed.tensor, layer.ffn_in, out=self.hidden.tensor)
        kernels.gated(self.hidden.array, self.gated.array)
        torch.mm(self.gated.tensor, layer.ffn_out, out=self.out.tensor)
        kernels.add_normed(rows, self.out.array, layer.gains[3])


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
        self._context_layers = [_layer_weights(layer, torch.float32) for layer in model.transformer.layers]
        self._layers = [_layer_weights(layer, dtype) for layer in model.transformer.layers]
        self._kept = threading.local()

    def encode(self, context: Context) -> ServingContext:
        """The context of a single user (B = 1)."""
        return workers().submit(self._encode, context).result()

    @torch.inference_mode()
    def _encode(self, context: Context) -> ServingContext:
        config = self.model.config
        tokens, valid = self.model.context_tokens(_without_padding(context), self.tables)
        history_valid = context.post_ids != 0
        positions = context_positions(
            history_valid, history_len=config.history_seq_len, right_anchored=config.right_anchored_rope
        )[0]
        # An invalid user is seen by nobody, so what remains is valid and only causal.
        positions = positions[torch.cat([valid[0, :1], history_valid[0]])]
        x = tokens[0][valid[0]].contiguous()
        rows: Array = x.numpy()
        count = len(rows)
        phases = _phases(positions, np.arange(count), config.key_size)
        block = _Block(config, torch.float32, count, count)
        keys, values = [], []
        for layer in self._context_layers:
            block.start(layer, rows, phases)
            key = _Buffer(config.num_heads, count, config.key_size, dtype=torch.float32)
            kernels.rotated(block.qkv.array, 1, phases.cos, phases.sin, phases.slots, key.array)
            _, _, value = block.qkv.tensor.unflatten(1, (3, config.num_heads, config.key_size)).permute(1, 2, 0, 3)
            keys.append(key.tensor.transpose(1, 2).contiguous())
            # A copy even of a single token, for the block is used again.
            values.append(value.clone(memory_format=torch.contiguous_format))
            if layer is not self._context_layers[-1]:
                block.finish(layer, rows, keys[-1], values[-1], causal=True)
        return ServingContext(
            tuple(key.to(self.dtype) for key in keys),
            tuple(value.to(self.dtype) for value in values),
            1 + (config.history_seq_len if config.right_anchored_rope else history_valid.shape[1]),
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
            return self._answer(context, columns(candidates, rows), known, phases.of(rows))

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
        self, context: ServingContext, candidates: Candidates, projections: Tensor | None, phases: _Phases
    ) -> RankerOutput:
        x = self.tokens(candidates, projections)
        return self.model.heads(self._through_layers(context, x, phases)[None])

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

    def _candidate_phases(self, count: int, start: int) -> _Phases:
        """Right-anchored candidates share the place after the history; others have a slot each."""
        if self.model.config.right_anchored_rope:
            slots = np.zeros(count, np.int64)
        else:
            slots = np.arange(count) % (self.slot_chunk or max(count, 1))
        places = start + torch.arange(int(slots.max(initial=0)) + 1)
        return _phases(places, slots, self.model.config.key_size)

    def _block(self, size: int, context: int) -> _Block:
        """This thread's arrays, used again while the sizes stay the same."""
        kept: _Block | None = getattr(self._kept, "block", None)
        if kept is None or kept.shape != (size, context):
            kept = self._kept.block = _Block(self.model.config, self.dtype, size, context)
        return kept

    def _through_layers(self, context: ServingContext, x: Tensor, phases: _Phases) -> Tensor:
        """Tokens x [N, D] through all layers, in place."""
        rows: Array = x.numpy()
        block = self._block(len(rows), context.keys[0].shape[2])
        for layer, keys, values in zip(self._layers, context.keys, context.values, strict=True):
            block.start(layer, rows, phases)
            kernels.own_weights(block.qkv.array, block.own)
            block.finish(layer, rows, keys, values, causal=False)
        return x


def _block_size(count: int) -> int:
    """Equal blocks, a multiple of the number of cores where there is work for all."""
    cores = num_workers()
    blocks = max(-(-count // MAX_BLOCK), 1)
    if count >= cores * MIN_BLOCK:
        blocks = -(-blocks // cores) * cores
    return max(-(-count // blocks), 1)


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

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
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F
from torch import Tensor

from ranking.phoenix import kernels
from ranking.phoenix.arithmetic import CAP_SCALE
from ranking.phoenix.batch import Candidates, Context, Tables
from ranking.phoenix.config import ATTENTION_MULTIPLIER, PhoenixConfig
from ranking.phoenix.kernels import Phases, Seen, Weights
from ranking.phoenix.products import inner_size, operand, split
from ranking.phoenix.recsys_model import PhoenixRanker, RankerOutput
from ranking.phoenix.tokens import CandidateTokens
from ranking.phoenix.transformer import Layer, context_positions, rotation

# Fewer rows are not worth a thread of their own.
MIN_BLOCK = 64
# Products of fewer rows or columns are summed in another order, and no score may depend on who stands beside it.
LEAST = 16

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
    """One user's context: the rotated keys and the values of its valid tokens in every layer.

    `end` is the position after the history, where candidates begin; `profile` [D] what was liked, for
    models that match contents.
    """

    seen: Seen
    end: int
    profile: Tensor | None = None

    @property
    def nbytes(self) -> int:
        return self.seen.keys.nbytes + self.seen.values.nbytes


def _in_pairs(x: Tensor) -> Tensor:
    """What is rotated together side by side: halves [..., K] to pairs. Products of queries and keys stay equal."""
    return x.unflatten(-1, (2, -1)).transpose(-1, -2).flatten(-2)


def _weights(layers: Sequence[Layer], dtype: torch.dtype) -> Weights:
    """The layers' matrices in serving precision, heads padded where its products are."""
    heads = layers[0].num_heads
    key_size = layers[0].qkv.shape[1] // (3 * heads)
    padding = inner_size(key_size, dtype) - key_size

    def stacked(of: Callable[[Layer], Tensor], dtype: torch.dtype = dtype) -> Array:
        return operand(torch.stack([of(layer).detach() for layer in layers]), dtype)

    def gains(layer: Layer) -> Tensor:
        norms = (layer.attention_in_norm, layer.attention_out_norm, layer.ffn_in_norm, layer.ffn_out_norm)
        return torch.stack([norm.scale for norm in norms])

    def qkv(layer: Layer) -> Tensor:
        queries, keys, values = layer.qkv.unflatten(1, (3, heads, key_size)).unbind(1)
        parts = torch.stack([_in_pairs(queries) * (ATTENTION_MULTIPLIER * CAP_SCALE), _in_pairs(keys), values], dim=1)
        return F.pad(parts, (0, padding)).flatten(1)

    def attention_out(layer: Layer) -> Tensor:
        rows = F.pad(layer.attention_out.unflatten(0, (heads, key_size)), (0, 0, 0, padding)).flatten(0, 1)
        return rows if dtype == torch.float32 else split(rows)

    return Weights(
        stacked(gains, torch.float32),
        stacked(qkv),
        stacked(attention_out),
        stacked(lambda layer: layer.ffn_in),
        stacked(lambda layer: layer.ffn_out),
        layers[0].ffn_out.shape[0],
    )


class Turns:
    """Rotary phases of all positions met so far, heads side by side. Safe to share between threads."""

    def __init__(self, config: PhoenixConfig, dtype: torch.dtype) -> None:
        self.config = config
        self.padding = (inner_size(config.key_size, dtype) - config.key_size) // 2
        self._known = self._computed(0, 2 + config.history_seq_len)

    def at(self, positions: Array) -> Phases:
        """Those of whole positions [N]."""
        low, high = int(positions.min(initial=0)), int(positions.max(initial=0))
        first, cos, sin = self._known
        if low < first or high >= first + len(cos):
            first, cos, sin = self._known = self._computed(min(low, first), max(high + 1, first + len(cos)))
        return Phases(cos, sin, positions - first)

    def _computed(self, first: int, stop: int) -> tuple[int, Array, Array]:
        turn = rotation(torch.arange(first, stop), self.config.key_size)
        halves = (x[:, : self.config.key_size // 2] for x in (turn.cos, turn.sin))
        cos, sin = (F.pad(x, (0, self.padding)).repeat(1, self.config.num_heads).numpy() for x in halves)
        return first, cos, sin


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
        self._context_turns = Turns(model.config, torch.float32)
        self._turns = Turns(model.config, dtype)

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
        rows = operand(tokens[0][valid[0]], torch.float32)
        count, shape = len(rows), (config.num_layers, config.num_heads)
        keys = torch.empty(*shape, config.key_size, count)
        values = torch.empty(*shape, count, config.key_size)
        phases = self._context_turns.at(positions.long().numpy())
        kernels.context(rows, self._context_weights, phases, Seen(keys.numpy(), values.numpy(), count))
        missing = max(LEAST - count, 0)
        keys, values = F.pad(keys, (0, missing)), F.pad(values, (0, 0, 0, missing))
        return ServingContext(
            Seen(operand(keys, self.dtype), operand(values, self.dtype), count),
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
            return self._answer(context, columns(candidates, rows), known, phases._replace(rows=phases.rows[rows]))

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
        count = candidates.post_ids.shape[1]
        if 0 < count < LEAST:
            rows = torch.arange(LEAST).clamp(max=count - 1)
            known = None if projections is None else projections[rows]
            several = phases._replace(rows=phases.rows[rows.numpy()])
            output = self._answer(context, columns(candidates, rows), known, several)
            return RankerOutput(output.logits[:, :count], output.continuous[:, :count])
        x = self.tokens(candidates, projections, context.profile)
        kernels.candidates(x.numpy(), self._weights, context.seen, phases)
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
            return self._turns.at(np.full(count, start))
        return self._turns.at(start + np.arange(count) % (self.slot_chunk or max(count, 1)))


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
    if valid.all():
        return context
    fields = {
        name: value[:, valid]
        for name, value in vars(context).items()
        if value is not None and name not in ("user_ids", "user_ip_rows")
    }
    return Context(user_ids=context.user_ids, user_ip_rows=context.user_ip_rows, **fields)

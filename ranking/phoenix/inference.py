"""Serving: the context once with its keys and values kept, candidates as single query tokens in blocks.

Exact: the softmax of a candidate sees the same logits as in one masked pass, because a masked key
contributes exactly nothing. Padded history is dropped before the trunk (positions keep their numbers).
The capped logits lie within +-30, so the softmax needs no maximum and is normalised after the sum.
With `dtype=torch.bfloat16` the matrix products run in reduced precision, on CPUs built for it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar

import torch
import torch.nn.functional as F
from torch import Tensor

from ranking.phoenix.batch import Candidates, Context, Tables
from ranking.phoenix.config import ATTENTION_CAP, ATTENTION_MULTIPLIER, NORM_EPSILON
from ranking.phoenix.recsys_model import PhoenixRanker, RankerOutput
from ranking.phoenix.reference import take
from ranking.phoenix.transformer import Layer, Rotation, context_positions, rotation

BLOCK = 256

Batch = TypeVar("Batch", Context, Candidates)


@dataclass(frozen=True)
class ServingContext:
    """One user's context: per layer rotated keys [H, K, T] and values [H, T, K], valid tokens only."""

    keys: tuple[Tensor, ...]
    values: tuple[Tensor, ...]

    @property
    def nbytes(self) -> int:
        return sum(t.nbytes for t in (*self.keys, *self.values))


@dataclass(frozen=True)
class LayerWeights:
    """The matrices of one layer in serving precision; the cap's scale is folded into the queries."""

    num_heads: int
    gains: tuple[Tensor, Tensor, Tensor, Tensor]
    qkv: Tensor
    attention_out: Tensor
    ffn_in: Tensor
    ffn_out: Tensor


def _layer_weights(layer: Layer, dtype: torch.dtype) -> LayerWeights:
    qkv = layer.qkv.detach().clone()
    qkv[:, : qkv.shape[1] // 3] *= ATTENTION_MULTIPLIER / ATTENTION_CAP
    norms = (
        layer.attention_in_norm,
        layer.attention_out_norm,
        layer.ffn_in_norm,
        layer.ffn_out_norm,
    )
    return LayerWeights(
        layer.num_heads,
        tuple(norm.scale.detach() for norm in norms),
        qkv.to(dtype),
        layer.attention_out.detach().to(dtype),
        layer.ffn_in.detach().to(dtype),
        layer.ffn_out.detach().to(dtype),
    )


class RankerRuntime:
    """A ranker prepared for serving. Holds no state between calls: safe to share between threads.

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
        self.layers = [_layer_weights(layer, dtype) for layer in model.transformer.layers]

    @torch.inference_mode()
    def encode(self, context: Context) -> ServingContext:
        """The context of a single user (B = 1)."""
        config = self.model.config
        tokens, valid = self.model.context_tokens(_without_padding(context), self.tables)
        history_valid = context.post_ids != 0
        positions = context_positions(
            history_valid, history_len=config.history_seq_len, right_anchored=config.right_anchored_rope
        )
        kept = torch.cat([torch.ones(1, dtype=torch.bool), history_valid[0]])
        _, cache = self.model.transformer.context(tokens, positions[:, kept], valid, need_output=False)
        usable = valid[0]
        return ServingContext(
            tuple(k[0][:, usable].transpose(1, 2).contiguous().to(self.dtype) for k in cache.keys),
            tuple(v[0][:, usable].contiguous().to(self.dtype) for v in cache.values),
        )

    @torch.inference_mode()
    def rank(self, context: ServingContext, candidates: Candidates) -> RankerOutput:
        """Logits and continuous predictions for candidates of one user (B = 1), block by block."""
        count = candidates.post_ids.shape[1]
        positions = self._positions(count)
        outputs = [
            self._rank_block(context, take(candidates, at, at + BLOCK), positions[at : at + BLOCK])
            for at in range(0, count, BLOCK)
        ]
        if not outputs:
            config = self.model.config
            return RankerOutput(
                torch.zeros(1, 0, config.num_actions),
                torch.zeros(1, 0, config.num_continuous),
            )
        return RankerOutput(
            torch.cat([out.logits for out in outputs], dim=1),
            torch.cat([out.continuous for out in outputs], dim=1),
        )

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

    def _positions(self, count: int) -> Tensor:
        config = self.model.config
        start = 1.0 + config.history_seq_len
        if config.right_anchored_rope:
            return torch.full((count,), start)
        slots = torch.arange(count)
        return start + (slots % self.slot_chunk if self.slot_chunk else slots)

    def _rank_block(self, context: ServingContext, candidates: Candidates, positions: Tensor) -> RankerOutput:
        tokens, _ = self.model.candidate_tokens(candidates, self.tables)
        rotate = rotation(positions, self.model.config.key_size)
        x = tokens[0]
        for layer, keys, values in zip(self.layers, context.keys, context.values, strict=True):
            x = x + _norm(_attend(layer, x, rotate, keys, values), layer.gains[1])
            x = x + _norm(_feed_forward(layer, x), layer.gains[3])
        return self.model.heads(x[None])


def _norm(x: Tensor, gain: Tensor) -> Tensor:
    return F.rms_norm(x.float(), gain.shape, gain, NORM_EPSILON)


def _attend(layer: LayerWeights, x: Tensor, rotate: Rotation, keys: Tensor, values: Tensor) -> Tensor:
    """Attention of N single tokens to T cached keys and to themselves, [N, D]."""
    dtype = layer.qkv.dtype
    qkv = _norm(x, layer.gains[0]).to(dtype) @ layer.qkv
    q, k, v = qkv.unflatten(-1, (3, layer.num_heads, -1)).permute(1, 2, 0, 3)
    q, k = rotate.apply(q), rotate.apply(k)
    # Queries carry multiplier / cap, so the product is the argument of the cap's tanh.
    to_context = torch.bmm(q.to(dtype), keys).tanh_().mul_(ATTENTION_CAP).exp_()
    to_self = (q * k).sum(-1, keepdim=True).tanh_().mul_(ATTENTION_CAP).exp_()
    total = to_context.sum(-1, keepdim=True, dtype=torch.float32) + to_self
    attended = (torch.bmm(to_context, values) + to_self * v) / total
    return attended.transpose(0, 1).flatten(1).to(dtype) @ layer.attention_out


def _feed_forward(layer: LayerWeights, x: Tensor) -> Tensor:
    dtype = layer.ffn_in.dtype
    gate, value = (_norm(x, layer.gains[2]).to(dtype) @ layer.ffn_in).chunk(2, dim=-1)
    return (F.gelu(gate, approximate="tanh") * value) @ layer.ffn_out


def _row(batch: Batch, row: int) -> Batch:
    fields = {name: None if v is None else v[row : row + 1] for name, v in vars(batch).items()}
    return type(batch)(**fields)


def _without_padding(context: Context) -> Context:
    """The context of one user without its padded history items."""
    valid = context.post_ids[0] != 0
    fields = {
        name: value[:, valid]
        for name, value in vars(context).items()
        if value is not None and name not in ("user_ids", "user_ip_rows")
    }
    return Context(user_ids=context.user_ids, user_ip_rows=context.user_ip_rows, **fields)

"""The published computation, slow and obvious: one masked pass over all tokens, chunk by chunk.

The oracle of the tests and the yardstick of the benchmark. It shares the weights and the token
construction with the models but not their attention: every chunk runs context and candidates
together under a full tokens x tokens mask.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import torch
from torch import Tensor

from ranking.phoenix.batch import Candidates, Context, Tables
from ranking.phoenix.recsys_model import PhoenixRanker, RankerOutput
from ranking.phoenix.transformer import (
    MASKED,
    Layer,
    Rotation,
    cap,
    context_positions,
    rotation,
)


@dataclass
class Trace:
    """Everything the golden files keep of one pass, over all tokens [B, 1 + S + C, ...]."""

    input_embeddings: Tensor
    padding_mask: Tensor
    positions: Tensor
    layers: list[Tensor] = field(default_factory=list)
    attentions: list[Tensor] = field(default_factory=list)
    transformer_out: Tensor | None = None
    output: RankerOutput | None = None


def structure_mask(num_context: int, num_tokens: int) -> Tensor:
    """Who may look at whom: causal context; a candidate sees the context and itself."""
    allowed = torch.ones(num_tokens, num_tokens, dtype=torch.bool).tril()
    allowed[num_context:, num_context:] = torch.eye(num_tokens - num_context, dtype=torch.bool)
    return allowed


def all_positions(valid: Tensor, num_context: int, *, right_anchored: bool) -> Tensor:
    """Positions [B, tokens]; right-anchored ones put padding at 0."""
    batch, tokens = valid.shape
    if not right_anchored:
        return torch.arange(tokens).float().expand(batch, -1)
    context = context_positions(valid[:, 1:num_context], history_len=num_context - 1, right_anchored=True)
    candidates = torch.full((batch, tokens - num_context), float(num_context))
    return torch.cat([context, candidates], dim=1) * valid


def attention(layer: Layer, x: Tensor, rotate: Rotation, allowed: Tensor) -> Tensor:
    q, k, v = layer.queries_keys_values(x)
    logits = cap(rotate.apply(q) @ rotate.apply(k).transpose(-1, -2))
    weights = logits.masked_fill(~allowed[:, None], MASKED).softmax(-1)
    return (weights @ v).transpose(1, 2).flatten(-2) @ layer.attention_out


def rank_chunk(
    model: PhoenixRanker,
    context: Context,
    candidates: Candidates,
    tables: Tables,
    *,
    keep: bool = False,
) -> Trace:
    """One upstream call: [user, history, candidates] through the masked transformer."""
    history, history_valid = model.context_tokens(context, tables)
    offered, offered_valid = model.candidate_tokens(candidates, tables, model.profile(context))
    x = torch.cat([history, offered], dim=1)
    valid = torch.cat([history_valid, offered_valid], dim=1)
    num_context = history.shape[1]
    anchored = model.config.right_anchored_rope
    trace = Trace(x, valid, all_positions(valid, num_context, right_anchored=anchored))
    rotate = rotation(trace.positions[:, None], model.config.key_size)
    allowed = structure_mask(num_context, x.shape[1]) & valid[:, None, :]
    for layer in model.transformer.layers:
        attended = attention(layer, x, rotate, allowed)
        x = layer.add_ffn(x + layer.attention_out_norm(attended))
        if keep:
            trace.attentions.append(attended)
            trace.layers.append(x)
    trace.transformer_out = x
    trace.output = model.heads(x[:, num_context:])
    return trace


def take(candidates: Candidates, start: int, stop: int) -> Candidates:
    """Candidates start..stop of every row."""
    return Candidates(
        **{name: None if value is None else value[:, start:stop] for name, value in vars(candidates).items()}
    )


@torch.inference_mode()
def rank(model: PhoenixRanker, context: Context, candidates: Candidates, tables: Tables) -> RankerOutput:
    """All candidates in chunks of `candidate_seq_len`, each chunk with its own pass over the context."""
    size = model.config.candidate_seq_len
    outputs = []
    for start in range(0, candidates.post_ids.shape[1], size):
        chunk = take(candidates, start, start + size)
        outputs.append(rank_chunk(model, context, chunk, tables).output)
    return RankerOutput(
        torch.cat([out.logits for out in outputs], dim=1),
        torch.cat([out.continuous for out in outputs], dim=1),
    )

"""The transformer both models share: sandwich norms, capped attention, gated feed-forward, rotary positions.

Twin of `phoenix/grok.py`. Context tokens (user and history) never look at candidates, and a candidate
looks at the context and itself only. So the code runs the context first, keeps its keys and values,
and treats each candidate as a single query token: the same numbers as one masked pass over all tokens.

Shape suffixes: B batch, T context tokens, C candidates, D embedding, H heads, K key size.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ranking.phoenix.config import (
    ATTENTION_CAP,
    ATTENTION_MULTIPLIER,
    NORM_EPSILON,
    PhoenixConfig,
)

# Finite on purpose: a row with nothing allowed then has a uniform softmax instead of NaN.
MASKED = -1e30


@dataclass(frozen=True)
class Rotation:
    """Cosine and sine of the rotary phases, broadcastable to [..., tokens, K]."""

    cos: Tensor
    sin: Tensor

    def apply(self, x: Tensor) -> Tensor:
        half = x.shape[-1] // 2
        swapped = torch.cat([-x[..., half:], x[..., :half]], dim=-1)
        return x * self.cos + swapped * self.sin


def rotation(positions: Tensor, key_size: int) -> Rotation:
    """Half-split rotary phases for float positions of shape [..., tokens]."""
    exponents = torch.arange(0, key_size, 2, dtype=torch.float32, device=positions.device)
    phase = positions.float()[..., None] * (10000.0 ** (-exponents / key_size))
    phase = torch.cat([phase, phase], dim=-1)
    return Rotation(phase.cos(), phase.sin())


def context_positions(history_valid: Tensor, *, history_len: int, right_anchored: bool) -> Tensor:
    """Positions of [user, history] for a validity mask [B, S], float [B, 1 + S].

    Right-anchored: the newest valid item sits at `history_len` whatever the number of items and columns,
    the user and padding at 0.
    """
    batch, columns = history_valid.shape
    index = torch.arange(columns + 1, device=history_valid.device).expand(batch, -1)
    if not right_anchored:
        return index.float()
    shift = history_len - history_valid.sum(-1, keepdim=True)
    shifted = torch.where(history_valid, index[:, 1:] + shift, 0)
    return F.pad(shifted, (1, 0)).float()


def candidate_positions(num_candidates: int, *, history_len: int, right_anchored: bool) -> Tensor:
    """Positions [C] of candidates in one call: one shared place after the history, or a slot each."""
    if right_anchored:
        return torch.full((num_candidates,), 1.0 + history_len)
    return 1.0 + history_len + torch.arange(num_candidates)


def cap(logits: Tensor) -> Tensor:
    """Smooth limit of attention logits to +-30."""
    return ATTENTION_CAP * torch.tanh(logits * (ATTENTION_MULTIPLIER / ATTENTION_CAP))


class RMSNorm(nn.Module):
    """g * x / sqrt(mean(x^2) + 1e-5)."""

    def __init__(self, size: int) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.ones(size))

    def forward(self, x: Tensor) -> Tensor:
        return F.rms_norm(x, self.scale.shape, self.scale, NORM_EPSILON)


def fan_in(rows: int, columns: int) -> nn.Parameter:
    """A matrix used as x @ W, initialised with variance 1 / rows."""
    weight = torch.empty(rows, columns)
    nn.init.trunc_normal_(weight, std=rows**-0.5, a=-2 * rows**-0.5, b=2 * rows**-0.5)
    return nn.Parameter(weight)


class Layer(nn.Module):
    """x += N(Attn(N(x))); x += N(FFN(N(x))). Query, key and value matrices are kept fused, as are the
    two branches of the feed-forward network."""

    def __init__(self, config: PhoenixConfig) -> None:
        super().__init__()
        size, heads_size, width = config.emb_size, config.heads_size, config.ffn_size
        self.num_heads = config.num_heads
        self.attention_in_norm = RMSNorm(size)
        self.attention_out_norm = RMSNorm(size)
        self.ffn_in_norm = RMSNorm(size)
        self.ffn_out_norm = RMSNorm(size)
        self.qkv = fan_in(size, 3 * heads_size)
        self.attention_out = fan_in(heads_size, size)
        self.ffn_in = fan_in(size, 2 * width)
        self.ffn_out = fan_in(width, size)

    def queries_keys_values(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Each [B, H, tokens, K], of the normalised input."""
        qkv = self.attention_in_norm(x) @ self.qkv
        shaped = qkv.unflatten(-1, (3, self.num_heads, -1)).transpose(-2, -4).movedim(-3, 0)
        return shaped[0], shaped[1], shaped[2]

    def add_attention(self, x: Tensor, attended: Tensor) -> Tensor:
        """Residual step for head outputs [B, H, tokens, K]."""
        merged = attended.transpose(-2, -3).flatten(-2)
        return x + self.attention_out_norm(merged @ self.attention_out)

    def add_ffn(self, x: Tensor) -> Tensor:
        gate, value = (self.ffn_in_norm(x) @ self.ffn_in).chunk(2, dim=-1)
        hidden = F.gelu(gate, approximate="tanh") * value
        return x + self.ffn_out_norm(hidden @ self.ffn_out)


@dataclass(frozen=True)
class ContextCache:
    """Rotated keys and values [B, H, T, K] of every layer, and which context tokens are valid [B, T]."""

    keys: tuple[Tensor, ...]
    values: tuple[Tensor, ...]
    valid: Tensor


class Transformer(nn.Module):
    """A stack of layers with two ways through: context (causal) and candidates (context and self)."""

    def __init__(self, config: PhoenixConfig) -> None:
        super().__init__()
        self.key_size = config.key_size
        self.layers = nn.ModuleList(Layer(config) for _ in range(config.num_layers))

    def context(
        self, x: Tensor, positions: Tensor, valid: Tensor, *, need_output: bool = True
    ) -> tuple[Tensor, ContextCache]:
        """Causal pass over [B, T, D]; without `need_output` the last layer only yields keys and values."""
        rotate = rotation(positions, self.key_size)
        rotate = Rotation(rotate.cos[:, None], rotate.sin[:, None])
        causal = torch.ones(x.shape[1], x.shape[1], dtype=torch.bool, device=x.device).tril()
        blocked = ~(causal & valid[:, None, None, :])
        keys, values = [], []
        for number, layer in enumerate(self.layers):
            q, k, v = layer.queries_keys_values(x)
            q, k = rotate.apply(q), rotate.apply(k)
            keys.append(k)
            values.append(v)
            if not need_output and number == len(self.layers) - 1:
                break
            logits = cap(q @ k.transpose(-1, -2)).masked_fill(blocked, MASKED)
            x = layer.add_ffn(layer.add_attention(x, logits.softmax(-1) @ v))
        return x, ContextCache(tuple(keys), tuple(values), valid)

    def candidates(self, x: Tensor, positions: Tensor, cache: ContextCache) -> Tensor:
        """Each of [B, C, D] attends to the cached context and to itself."""
        rotate = rotation(positions, self.key_size)
        blocked = ~cache.valid[:, None, None, :]
        for layer, k_context, v_context in zip(self.layers, cache.keys, cache.values, strict=True):
            q, k, v = layer.queries_keys_values(x)
            q, k = rotate.apply(q), rotate.apply(k)
            to_context = cap(q @ k_context.transpose(-1, -2)).masked_fill(blocked, MASKED)
            to_self = cap((q * k).sum(-1, keepdim=True))
            weights = torch.cat([to_context, to_self], dim=-1).softmax(-1)
            attended = weights[..., :-1] @ v_context + weights[..., -1:] * v
            x = layer.add_ffn(layer.add_attention(x, attended))
        return x

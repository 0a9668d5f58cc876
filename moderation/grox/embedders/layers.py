"""The blocks of a BERT encoder, laid out so that one core computes them fast."""

from __future__ import annotations

from collections.abc import Mapping

import torch
import torch.nn.functional as F
from torch import Tensor

HEADS = 12
NORM_EPSILON = 1e-12
QUERY_KEY_VALUE = tuple(f"attention.self.{part}" for part in ("query", "key", "value"))
ROWS_HINT = 2_048  # of the products that the layout is chosen for


class Linear:
    """x W' + b. Weights in bfloat16 that nobody is learning are laid out once as the processor multiplies them."""

    def __init__(self, weight: Tensor, bias: Tensor) -> None:
        self._bias = bias
        self._is_packed = weight.dtype is torch.bfloat16 and not weight.requires_grad
        self._weight = torch.ops.mkldnn._reorder_linear_weight(weight, ROWS_HINT) if self._is_packed else weight

    def __call__(self, x: Tensor) -> Tensor:
        if self._is_packed:
            return torch.ops.mkldnn._linear_pointwise(x, self._weight, self._bias, "none", [], "")
        return F.linear(x, self._weight, self._bias)


class Norm:
    """Layer normalisation."""

    def __init__(self, weights: Mapping[str, Tensor], name: str) -> None:
        self._weight, self._bias = (weights[f"{name}.LayerNorm.{kind}"] for kind in ("weight", "bias"))

    def __call__(self, x: Tensor) -> Tensor:
        return F.layer_norm(x, self._weight.shape, self._weight, self._bias, NORM_EPSILON)


class Layer:
    """One encoder block with normalisation after each residual. Query, key and value are one product."""

    def __init__(self, weights: Mapping[str, Tensor]) -> None:
        """`weights` and biases by their names within the layer."""

        def linear(*names: str) -> Linear:
            return Linear(*(torch.cat([weights[f"{name}.{kind}"] for name in names]) for kind in ("weight", "bias")))

        self._query_key_value = linear(*QUERY_KEY_VALUE)
        self._attended, self._inner, self._outer = (
            linear(f"{name}.dense") for name in ("attention.output", "intermediate", "output")
        )
        self._norm_attended, self._norm = Norm(weights, "attention.output"), Norm(weights, "output")

    def __call__(self, hidden: Tensor, mask: Tensor) -> Tensor:
        """Token states [R, T, D] after the block. `mask` [R, 1, T, T] tells which tokens see which.

        Sums and activations are written over what they are made of: memory that is asked for anew in every step
        costs a sixth of the time, in page faults.
        """
        query, key, value = (
            each.unflatten(-1, (HEADS, -1)).transpose(1, 2) for each in self._query_key_value(hidden).chunk(3, dim=-1)
        )
        attended = F.scaled_dot_product_attention(query, key, value, attn_mask=mask).transpose(1, 2).flatten(2)
        hidden = self._norm_attended(self._attended(attended).add_(hidden))
        return self._norm(self._outer(torch.ops.aten.gelu_(self._inner(hidden))).add_(hidden))

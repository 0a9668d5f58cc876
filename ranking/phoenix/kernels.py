"""What lies between two matrix products of a layer, each step in one pass over its rows.

Compiled by Numba on first use and kept on disk. Every function leaves the interpreter's lock, runs in
the calling thread and writes into arrays it is given. Arrays are float32, or bfloat16 held as uint16;
arithmetic is float32 either way.

Shapes: N candidates, D embedding, H heads, K key size, T context tokens, F feed-forward width.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt
from llvmlite import ir
from numba import njit, types
from numba.extending import intrinsic, overload, register_jitable

from ranking.phoenix.config import ATTENTION_CAP, NORM_EPSILON

Array = npt.NDArray[Any]
Kernel = TypeVar("Kernel", bound=Callable[..., None])

# Sums may be reordered, so that they use vectors; values that are not finite keep their meaning.
FAST_MATH = {"reassoc", "contract", "nsz", "arcp"}

ONE = np.float32(1)
EPSILON = np.float32(NORM_EPSILON)
LOG2_E = 1.4426950408889634
# tanh(x) = (e - 1) / (e + 1) with e = 2^(2 log2(e) x); beyond these powers it is +-1 in float32.
TWO_LOG2_E = np.float32(2 * LOG2_E)
CAP_LOG2_E = np.float32(ATTENTION_CAP * LOG2_E)
MAX_POWER = np.float32(60)
# gelu by its tanh form, written with a logistic: x / (1 + 2^(-2 log2(e) sqrt(2/pi) (x + 0.044715 x^3)))
GELU_LINEAR = np.float32(-2 * LOG2_E * (2 / np.pi) ** 0.5)
GELU_CUBIC = np.float32(-2 * LOG2_E * (2 / np.pi) ** 0.5 * 0.044715)
# 2^f for |f| <= 1/2 (the minimax polynomial of the Cephes library's exp2f), lowest power first.
C1, C2, C3, C4, C5, C6 = (
    np.float32(c)
    for c in (
        6.931472028550421e-1,
        2.402264791363012e-1,
        5.550332471162809e-2,
        9.618437357674640e-3,
        1.339887440266574e-3,
        1.535336188319500e-4,
    )
)
MANTISSA_BITS = np.int32(23)


def compiled(function: Kernel) -> Kernel:
    """Compiles on first use and keeps the result on disk; where no place is writable, for this process."""
    options = {"nogil": True, "error_model": "numpy", "fastmath": FAST_MATH}
    try:
        return njit(cache=True, **options)(function)
    except RuntimeError:
        return njit(**options)(function)


@intrinsic
def _as_float(_context: Any, _bits: Any) -> Any:
    """The float32 with these bits."""
    return types.float32(types.int32), lambda _c, builder, _s, args: builder.bitcast(args[0], ir.FloatType())


@intrinsic
def _as_bits(_context: Any, _value: Any) -> Any:
    """The bits of a float32."""
    return types.int32(types.float32), lambda _c, builder, _s, args: builder.bitcast(args[0], ir.IntType(32))


@intrinsic
def _rounded(_context: Any, _value: Any) -> Any:
    """The nearest whole number, as a float32."""

    def generate(_c: Any, builder: Any, _s: Any, args: Any) -> Any:
        return builder.call(builder.module.declare_intrinsic("llvm.rint", [ir.FloatType()]), args)

    return types.float32(types.float32), generate


def _widen(value: Any) -> Any:
    """An array's element as float32."""
    raise NotImplementedError("compiled code only")


@overload(_widen, inline="always")
def _widen_overload(value: Any) -> Any:
    def kept(value: Any) -> Any:
        return value

    def shifted(value: Any) -> Any:
        return _as_float(np.int32(np.int32(value) << np.int32(16)))

    return kept if value == types.float32 else shifted


def _narrow(value: Any, array: Any) -> Any:
    """A float32 as an element of the array, rounded to the nearest."""
    raise NotImplementedError("compiled code only")


@overload(_narrow, inline="always")
def _narrow_overload(value: Any, array: Any) -> Any:
    def kept(value: Any, array: Any) -> Any:
        return value

    def rounded(value: Any, array: Any) -> Any:
        return np.uint16(np.uint32(np.uint32(_as_bits(value)) + np.uint32(0x8000)) >> np.uint32(16))

    return kept if array.dtype == types.float32 else rounded


@register_jitable
def _power_of_two(x: Any) -> Any:
    """2^x for |x| <= 60."""
    whole = _rounded(x)
    f = x - whole
    p = (((((C6 * f + C5) * f + C4) * f + C3) * f + C2) * f + C1) * f + ONE
    return _as_float(np.int32(_as_bits(p) + np.int32(np.int32(whole) << MANTISSA_BITS)))


@register_jitable
def _clipped(x: Any) -> Any:
    return min(max(x, -MAX_POWER), MAX_POWER)


@register_jitable
def _capped_exp(x: Any) -> Any:
    """exp(cap * tanh(x)): an attention weight before it is normalised; finite, since the cap is 30."""
    e = _power_of_two(_clipped(TWO_LOG2_E * x))
    return _power_of_two(CAP_LOG2_E * ((e - ONE) / (e + ONE)))


@compiled
def norm(x: Array, gain: Array, out: Array) -> None:
    """out = N(x) for rows [N, D]."""
    n, size = x.shape
    for i in range(n):
        total = np.float32(0)
        for j in range(size):
            total += x[i, j] * x[i, j]
        scale = ONE / np.sqrt(total / np.float32(size) + EPSILON)
        for j in range(size):
            out[i, j] = _narrow(x[i, j] * scale * gain[j], out)


@compiled
def add_normed(x: Array, y: Array, gain: Array) -> None:
    """x += N(y; gain) for rows [N, D]."""
    n, size = x.shape
    for i in range(n):
        total = np.float32(0)
        for j in range(size):
            value = _widen(y[i, j])
            total += value * value
        scale = ONE / np.sqrt(total / np.float32(size) + EPSILON)
        for j in range(size):
            x[i, j] += _widen(y[i, j]) * scale * gain[j]


@compiled
def add_norm(x: Array, y: Array, gain: Array, next_gain: Array, out: Array) -> None:
    """x += N(y; gain), then out = N(x; next_gain), for rows [N, D]."""
    n, size = x.shape
    for i in range(n):
        total = np.float32(0)
        for j in range(size):
            value = _widen(y[i, j])
            total += value * value
        scale = ONE / np.sqrt(total / np.float32(size) + EPSILON)
        total = np.float32(0)
        for j in range(size):
            value = x[i, j] + _widen(y[i, j]) * scale * gain[j]
            x[i, j] = value
            total += value * value
        scale = ONE / np.sqrt(total / np.float32(size) + EPSILON)
        for j in range(size):
            out[i, j] = _narrow(x[i, j] * scale * next_gain[j], out)


@compiled
def rotated(qkv: Array, part: int, cos: Array, sin: Array, slots: Array, out: Array) -> None:
    """Queries (part 0) or keys (part 1) turned to their positions, [N, 3 H K] to out [H, N, K].

    `cos` and `sin` [P, K / 2] hold the phases of P positions, `slots` [N] which of them a token has.
    """
    heads, n, size = out.shape
    half = size // 2
    for i in range(n):
        c, s = cos[slots[i]], sin[slots[i]]
        for h in range(heads):
            given, turned = qkv[i, (part * heads + h) * size :], out[h, i]
            for k in range(half):
                turned[k] = _narrow(_widen(given[k]) * c[k] - _widen(given[half + k]) * s[k], out)
            for k in range(half):
                turned[half + k] = _narrow(_widen(given[half + k]) * c[k] + _widen(given[k]) * s[k], out)


@compiled
def own_weights(qkv: Array, own: Array) -> None:
    """Each token's unnormalised weight for itself, own [N, H].

    A token and itself are at the same position, so their product needs no rotation.
    """
    n, heads = own.shape
    size = qkv.shape[1] // (3 * heads)
    for i in range(n):
        for h in range(heads):
            query, key = qkv[i, h * size :], qkv[i, (heads + h) * size :]
            total = np.float32(0)
            for k in range(size):
                total += _widen(query[k]) * _widen(key[k])
            own[i, h] = total
    weights = own.reshape(-1)
    for i in range(weights.size):
        weights[i] = _capped_exp(weights[i])


@compiled
def attention_weights(scores: Array, causal: bool, totals: Array) -> None:
    """Scores [H, N, T] to unnormalised weights in place; their sums to totals [H, N].

    Causal: query i sees keys 0..i, and the weights of later ones are zero.
    """
    heads, n, context = scores.shape
    for h in range(heads):
        for i in range(n):
            row = scores[h, i]
            visible = min(i + 1, context) if causal else context
            total = np.float32(0)
            for t in range(visible):
                weight = _capped_exp(_widen(row[t]))
                row[t] = _narrow(weight, scores)
                total += weight
            row[visible:] = 0
            totals[h, i] = total


@compiled
def attended(from_context: Array, totals: Array, qkv: Array, own: Array, out: Array) -> None:
    """Adds each token's own value and normalises: [H, N, K] to out [N, H K]."""
    heads, n, size = from_context.shape
    for i in range(n):
        for h in range(heads):
            weight = own[i, h]
            scale = ONE / (totals[h, i] + weight)
            at, value = h * size, (2 * heads + h) * size
            for k in range(size):
                mixed = _widen(from_context[h, i, k]) + weight * _widen(qkv[i, value + k])
                out[i, at + k] = _narrow(mixed * scale, out)


@compiled
def gated(hidden: Array, out: Array) -> None:
    """gelu(first half) * second half: hidden [N, 2 F] to out [N, F]."""
    n, width = out.shape
    for i in range(n):
        for j in range(width):
            x = _widen(hidden[i, j])
            power = _clipped(x * (GELU_LINEAR + GELU_CUBIC * x * x))
            out[i, j] = _narrow(x * _widen(hidden[i, width + j]) / (ONE + _power_of_two(power)), out)

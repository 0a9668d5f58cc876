"""All layers as one compiled call: what lies between two matrix products takes one pass over its rows.

Compiled by Numba on first use and kept on disk. A call runs in the calling thread and leaves the
interpreter's lock until it ends, so that threads side by side never wait for each other. Operands of the
products are float32, or bfloat16 held as uint16; everything else is float32, sums of products included.

Shapes: N tokens, D embedding, L layers, H heads, K key size, T context tokens, F feed-forward width.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple, TypeVar

import numpy as np
import numpy.typing as npt
from llvmlite import ir
from numba import njit, types
from numba.extending import intrinsic, overload, register_jitable

from ranking.phoenix.config import ATTENTION_CAP, NORM_EPSILON
from ranking.phoenix.products import as_float, multiply

Array = npt.NDArray[Any]
Kernel = TypeVar("Kernel", bound=Callable[..., None])

# Sums may be reordered, so that they use vectors; values that are not finite keep their meaning.
FAST_MATH = {"reassoc", "contract", "nsz", "arcp"}

# Rows that go through all layers together, so that what they need stays in a core's cache.
TILE = 128

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


class Weights(NamedTuple):
    """The matrices of all layers; those of `qkv`, `ffn_in` and `ffn_out` in the precision that serves."""

    gains: Array  # [L, 4, D]
    qkv: Array  # [L, D, 3 H K], the cap's scale folded into the queries
    attention_out: Array  # [L, H K, D], float32: its rounding would weigh most in the result
    ffn_in: Array  # [L, D, 2 F]
    ffn_out: Array  # [L, F, D]


class Phases(NamedTuple):
    """Cosines and sines [P, K / 2] of the positions in use, and which of them each token has [N]."""

    cos: Array
    sin: Array
    slots: Array


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
    return as_float(np.int32(_as_bits(p) + np.int32(np.int32(whole) << MANTISSA_BITS)))


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
            total += y[i, j] * y[i, j]
        scale = ONE / np.sqrt(total / np.float32(size) + EPSILON)
        for j in range(size):
            x[i, j] += y[i, j] * scale * gain[j]


@compiled
def add_norm(x: Array, y: Array, gain: Array, next_gain: Array, out: Array) -> None:
    """x += N(y; gain), then out = N(x; next_gain), for rows [N, D]."""
    n, size = x.shape
    for i in range(n):
        total = np.float32(0)
        for j in range(size):
            total += y[i, j] * y[i, j]
        scale = ONE / np.sqrt(total / np.float32(size) + EPSILON)
        total = np.float32(0)
        for j in range(size):
            value = x[i, j] + y[i, j] * scale * gain[j]
            x[i, j] = value
            total += value * value
        scale = ONE / np.sqrt(total / np.float32(size) + EPSILON)
        for j in range(size):
            out[i, j] = _narrow(x[i, j] * scale * next_gain[j], out)


@compiled
def rotated(qkv: Array, part: int, phases: Phases, first: int, out: Array) -> None:
    """Queries (part 0) or keys (part 1) of all heads, turned to their positions: [N, 3 H K] to [N, H K].

    The rows are those of the tokens from `first` on.
    """
    n, size = out.shape
    half = phases.cos.shape[1]
    for i in range(n):
        slot = phases.slots[first + i]
        cos, sin = phases.cos[slot], phases.sin[slot]
        for at in range(0, size, 2 * half):
            given, turned = qkv[i, part * size + at :], out[i, at:]
            for k in range(half):
                turned[k] = _narrow(given[k] * cos[k] - given[half + k] * sin[k], out)
            for k in range(half):
                turned[half + k] = _narrow(given[half + k] * cos[k] + given[k] * sin[k], out)


@compiled
def attention_weights(scores: Array, first: int, weights: Array, totals: Array) -> None:
    """Scores [N, T] to unnormalised weights and their sums [N].

    From row i only the first `first` + i + 1 tokens are seen; the weights of later ones are zero.
    """
    n, context = scores.shape
    for i in range(n):
        given, row = scores[i], weights[i]
        visible = min(first + i + 1, context)
        total = np.float32(0)
        for t in range(visible):
            weight = _capped_exp(given[t])
            row[t] = _narrow(weight, weights)
            total += weight
        row[visible:] = 0
        totals[i] = total


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
                total += query[k] * key[k]
            own[i, h] = total
    weights = own.reshape(-1)
    for i in range(weights.size):
        weights[i] = _capped_exp(weights[i])


@compiled
def averaged(mixed: Array, totals: Array, values: Array, own: Array, out: Array) -> None:
    """Weighted sums of the context's values [N, K], each token's own value added, over the sum of weights."""
    n, size = mixed.shape
    for i in range(n):
        weight = own[i]
        scale = ONE / (totals[i] + weight)
        for k in range(size):
            out[i, k] = (mixed[i, k] + weight * values[i, k]) * scale


@compiled
def gated(hidden: Array, out: Array) -> None:
    """gelu(first half) * second half: hidden [N, 2 F] to out [N, F]."""
    n, width = out.shape
    for i in range(n):
        for j in range(width):
            x = hidden[i, j]
            power = _clipped(x * (GELU_LINEAR + GELU_CUBIC * x * x))
            out[i, j] = _narrow(x * hidden[i, width + j] / (ONE + _power_of_two(power)), out)


class Room(NamedTuple):
    """What N tokens that attend to T others need in a layer."""

    given: Array  # [N, D]
    qkv: Array  # [N, 3 H K]
    queries: Array  # [N, H K]
    scores: Array  # [N, T]
    shares: Array  # [N, T]
    mixed: Array  # [N, K]
    totals: Array  # [N]
    own: Array  # [N, H]
    attended: Array  # [N, H K]
    out: Array  # [N, D]
    hidden: Array  # [N, 2 F]
    inner: Array  # [N, F]


@compiled
def _room(weights: Weights, n: int, heads: int, context: int) -> Room:
    size, width = weights.qkv.shape[1], weights.qkv.shape[2] // 3
    return Room(
        np.empty((n, size), weights.qkv.dtype),
        np.empty((n, 3 * width), np.float32),
        np.empty((n, width), weights.qkv.dtype),
        np.empty((n, context), np.float32),
        np.empty((n, context), weights.qkv.dtype),
        np.zeros((n, width // heads), np.float32),
        np.zeros(n, np.float32),
        np.zeros((n, heads), np.float32),
        np.empty((n, width), np.float32),
        np.empty((n, size), np.float32),
        np.empty((n, weights.ffn_in.shape[2]), np.float32),
        np.empty((n, weights.ffn_out.shape[1]), weights.qkv.dtype),
    )


@compiled
def _attend(layer: int, room: Room, keys: Array, values: Array, first: int) -> None:
    """The attention of one layer, queries and own weights being known: `first` as in `attention_weights`."""
    heads, key_size, context = keys.shape[1:]
    own_values = room.qkv[:, 2 * heads * key_size :]
    for head in range(heads):
        start, stop = head * key_size, (head + 1) * key_size
        if context:
            multiply(room.queries[:, start:stop], keys[layer, head], room.scores)
            attention_weights(room.scores, first, room.shares, room.totals)
            multiply(room.shares, values[layer, head], room.mixed)
        averaged(room.mixed, room.totals, own_values[:, start:stop], room.own[:, head], room.attended[:, start:stop])


@compiled
def _feed_forward(x: Array, weights: Weights, layer: int, room: Room) -> None:
    """The attention's result and the feed-forward network, both added to x [N, D] in place."""
    gains = weights.gains[layer]
    multiply(room.attended, weights.attention_out[layer], room.out)
    add_norm(x, room.out, gains[1], gains[2], room.given)
    multiply(room.given, weights.ffn_in[layer], room.hidden)
    gated(room.hidden, room.inner)
    multiply(room.inner, weights.ffn_out[layer], room.out)
    add_normed(x, room.out, gains[3])


@compiled
def candidates(x: Array, weights: Weights, keys: Array, values: Array, phases: Phases) -> None:
    """Tokens x [N, D] through all layers in place; each attends to the context, whose rotated keys
    [L, H, K, T] and values [L, H, T, K] are given, and to itself."""
    layers, heads, _, context = keys.shape
    tiles = -(-len(x) // TILE)
    size = max(-(-len(x) // max(tiles, 1)), 1)
    room = _room(weights, size, heads, context)
    for start in range(0, len(x), size):
        rows = x[start : start + size]
        if len(rows) < size:
            room = _room(weights, len(rows), heads, context)
        for layer in range(layers):
            norm(rows, weights.gains[layer, 0], room.given)
            multiply(room.given, weights.qkv[layer], room.qkv)
            rotated(room.qkv, 0, phases, start, room.queries)
            own_weights(room.qkv, room.own)
            _attend(layer, room, keys, values, context)
            _feed_forward(rows, weights, layer, room)


@compiled
def context(x: Array, weights: Weights, phases: Phases, keys: Array, values: Array) -> None:
    """Tokens x [T, D] through all layers in place, each seeing itself and those before it; writes the rotated
    keys [L, H, K, T] and the values [L, H, T, K]. Nobody needs the output of the last layer: it is not computed."""
    layers, heads, key_size, tokens = keys.shape
    if not tokens:
        return
    room = _room(weights, tokens, heads, tokens)
    turned = room.queries
    for layer in range(layers):
        norm(x, weights.gains[layer, 0], room.given)
        multiply(room.given, weights.qkv[layer], room.qkv)
        rotated(room.qkv, 1, phases, 0, turned)
        for head in range(heads):
            start, stop = head * key_size, (head + 1) * key_size
            keys[layer, head] = turned[:, start:stop].T
            values[layer, head] = room.qkv[:, 2 * heads * key_size + start : 2 * heads * key_size + stop]
        if layer < layers - 1:
            rotated(room.qkv, 0, phases, 0, room.queries)
            _attend(layer, room, keys, values, 0)
            _feed_forward(x, weights, layer, room)

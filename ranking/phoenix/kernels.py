"""All layers as one compiled call: what lies between two matrix products takes one pass over its rows.

Compiled by Numba on first use and kept on disk. A call runs in the calling thread and leaves the
interpreter's lock until it ends, so that threads side by side never wait for each other. Operands of the
products are float32, or bfloat16 held as uint16; everything else is float32, sums of products included.

Shapes: N tokens, D embedding, L layers, H heads, K key size, T context tokens, F feed-forward width. Second
operands (weights, keys, values) may be interleaved and padded, as `products.operand` makes them: [..., A, B]
then stands for [..., A / 2, B, 2], and what is multiplied with them is padded by zeros alike.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from ranking.phoenix.arithmetic import ONE, capped_exp, compiled, gelu, narrow, put_split, wide_vectors
from ranking.phoenix.config import NORM_EPSILON
from ranking.phoenix.interleaving import STEP
from ranking.phoenix.products import multiply, rows_of

Array = npt.NDArray[Any]

# Rows that go through all layers together, so that what they need stays in a core's cache.
BLOCK = 128
EPSILON = np.float32(NORM_EPSILON)
CACHE_LINE = 64
# Parts of a row of `qkv`, and the first token, of a type of their own: Numba would compile literals each apart.
QUERIES, KEYS, START = np.intp(0), np.intp(1), np.intp(0)


class Weights(NamedTuple):
    """The matrices of all layers, in the precision that serves."""

    gains: Array  # [L, 4, D]
    qkv: Array  # [L, D, 3 H K], the cap's scale folded into the queries, what is rotated in pairs
    attention_out: Array  # [L, H K, D]; for bfloat16 split [L, 3 H K, D]: its rounding would weigh most in the result
    ffn_in: Array  # [L, D, 2 F]
    ffn_out: Array  # [L, F, D]
    ffn_size: int


class Phases(NamedTuple):
    """Cosines and sines of positions [P, H K / 2], and the row among them of each token [N]."""

    cos: Array
    sin: Array
    rows: Array


class Seen(NamedTuple):
    """What tokens look at beside themselves: rotated keys [L, H, K, T] and values [L, H, T, K] of so many
    tokens."""

    keys: Array
    values: Array
    tokens: int


@compiled
def norm(x: Array, gain: Array, out: Array) -> None:
    """out = N(x) for rows [N, D]."""
    wide_vectors()
    n, size = x.shape
    for i in range(n):
        total = np.float32(0)
        for j in range(size):
            total += x[i, j] * x[i, j]
        scale = ONE / np.sqrt(total / np.float32(size) + EPSILON)
        for j in range(size):
            out[i, j] = narrow(x[i, j] * scale * gain[j], out)


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
def rotated(qkv: Array, part: int, phases: Phases, first: int, out: Array) -> None:
    """`QUERIES` or `KEYS`, turned to their positions: [N, 3 H K] to [N, H K].

    The rows are those of the tokens from `first` on.
    """
    wide_vectors()
    size = out.shape[1]
    for i in range(min(len(out), len(phases.rows) - first)):
        at = phases.rows[first + i]
        cos, sin = phases.cos[at], phases.sin[at]
        given, turned = qkv[i, part * size :], out[i]
        for k in range(size // 2):
            a, b = given[2 * k], given[2 * k + 1]
            turned[2 * k] = narrow(a * cos[k] - b * sin[k], out)
            turned[2 * k + 1] = narrow(b * cos[k] + a * sin[k], out)


@compiled
def attention_weights(scores: Array, first: int, count: int, weights: Array, totals: Array) -> None:
    """Scores [N, T] to unnormalised weights and their sums [N].

    From row i only the first `first` + i + 1 tokens of `count` are seen; the weights of others are zero.
    """
    wide_vectors()
    for i in range(len(scores)):
        given, row = scores[i], weights[i]
        visible = min(first + i + 1, count)
        total = np.float32(0)
        for t in range(visible):
            weight = capped_exp(given[t])
            row[t] = narrow(weight, weights)
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
        for head in range(heads):
            query, key = qkv[i, head * size :], qkv[i, (heads + head) * size :]
            total = np.float32(0)
            for k in range(size):
                total += query[k] * key[k]
            own[i, head] = total
    weights = own.reshape(-1)
    for i in range(weights.size):
        weights[i] = capped_exp(weights[i])


@compiled
def averaged(mixed: Array, totals: Array, qkv: Array, own: Array, out: Array) -> None:
    """Weighted sums of the context's values [H, N, K], each token's own value added, over the sums of weights,
    to [N, H K] as `put_split` writes them."""
    wide_vectors()
    n, heads = own.shape
    size = mixed.shape[2]
    for i in range(n):
        for head in range(heads):
            weight, at = own[i, head], head * size
            scale = ONE / (totals[head, i] + weight)
            shared, value = mixed[head, i], qkv[i, (2 * heads + head) * size :]
            for k in range(size):
                put_split((shared[k] + weight * value[k]) * scale, out, i, at + k, heads * size)


@compiled
def gated(hidden: Array, width: int, out: Array) -> None:
    """gelu(first half) * second half: hidden [N, 2 F] to out [N, F]."""
    wide_vectors()
    for i in range(len(out)):
        for j in range(width):
            out[i, j] = narrow(gelu(hidden[i, j]) * hidden[i, width + j], out)


class Room(NamedTuple):
    """What N tokens that attend to T others need in a layer."""

    given: Array  # [N, D]
    qkv: Array  # [N, 3 H K]
    queries: Array  # [N, H K]
    scores: Array  # [N, T]
    shares: Array  # [N, T]
    mixed: Array  # [H, N, K]
    totals: Array  # [H, N]
    own: Array  # [N, H]
    attended: Array  # [N, H K], split for bfloat16
    out: Array  # [N, D]
    hidden: Array  # [N, 2 F]
    inner: Array  # [N, F]


@compiled
def _zeros(rows: int, columns: int, like: Array) -> Array:
    """A matrix whose rows begin where lines of the cache do, if a row is as long as some of them."""
    size = rows * columns
    room = np.zeros(size + CACHE_LINE // like.itemsize, like.dtype)
    first = (CACHE_LINE - room.ctypes.data % CACHE_LINE) // like.itemsize
    return room[first : first + size].reshape(rows, columns)


@compiled
def _room(weights: Weights, seen: Seen, n: int) -> Room:
    n = -(-n // STEP) * STEP
    heads, kind, single = seen.keys.shape[1], weights.qkv, weights.gains
    keys, values = seen.keys[0, 0], seen.values[0, 0]
    return Room(
        _zeros(n, rows_of(weights.qkv[0]), kind),
        _zeros(n, weights.qkv[0].shape[1], single),
        _zeros(n, heads * rows_of(keys), kind),
        _zeros(n, keys.shape[1], single),
        _zeros(n, rows_of(values), kind),
        _zeros(heads * n, values.shape[1], single).reshape(heads, n, values.shape[1]),
        _zeros(heads, n, single),
        _zeros(n, heads, single),
        _zeros(n, rows_of(weights.attention_out[0]), kind),
        _zeros(n, weights.ffn_out[0].shape[1], single),
        _zeros(n, weights.ffn_in[0].shape[1], single),
        _zeros(n, rows_of(weights.ffn_out[0]), kind),
    )


@compiled
def _layer(x: Array, weights: Weights, layer: int, seen: Seen, first: int, room: Room) -> None:
    """Attention and feed-forward network, both added to x [N, D] in place, `room.qkv`, `queries` and `own` being
    known: `first` as in `attention_weights`."""
    gains = weights.gains[layer]
    size = room.mixed.shape[2]
    for head in range(len(room.mixed)):
        if seen.tokens:
            multiply(room.queries[:, head * size : (head + 1) * size], seen.keys[layer, head], room.scores)
            attention_weights(room.scores, first, seen.tokens, room.shares, room.totals[head])
            multiply(room.shares, seen.values[layer, head], room.mixed[head])
    averaged(room.mixed, room.totals, room.qkv, room.own, room.attended)
    multiply(room.attended, weights.attention_out[layer], room.out)
    add_normed(x, room.out, gains[1])
    norm(x, gains[2], room.given)
    multiply(room.given, weights.ffn_in[layer], room.hidden)
    gated(room.hidden, weights.ffn_size, room.inner)
    multiply(room.inner, weights.ffn_out[layer], room.out)
    add_normed(x, room.out, gains[3])


@compiled
def candidates(x: Array, weights: Weights, seen: Seen, phases: Phases) -> None:
    """Tokens x [N, D] through all layers in place; each attends to the context and to itself."""
    blocks = -(-len(x) // BLOCK)
    size = -(-len(x) // max(blocks, 1))
    room = _room(weights, seen, size)
    for start in range(0, len(x), max(size, 1)):
        rows = x[start : start + size]
        for layer in range(len(weights.gains)):
            norm(rows, weights.gains[layer, 0], room.given)
            multiply(room.given, weights.qkv[layer], room.qkv)
            rotated(room.qkv, QUERIES, phases, start, room.queries)
            own_weights(room.qkv, room.own)
            _layer(rows, weights, layer, seen, seen.tokens, room)


@compiled
def context(x: Array, weights: Weights, phases: Phases, seen: Seen) -> None:
    """Tokens x [T, D] through all layers in place, each seeing itself and those before it; writes the rotated
    keys and the values. All is float32. Nobody needs the output of the last layer: it is not computed."""
    keys, values, count = seen
    if not count:
        return
    layers, heads, key_size = keys.shape[:3]
    room = _room(weights, seen, count)
    for layer in range(layers):
        norm(x, weights.gains[layer, 0], room.given)
        multiply(room.given, weights.qkv[layer], room.qkv)
        rotated(room.qkv, KEYS, phases, START, room.queries)
        for head in range(heads):
            at = (2 * heads + head) * key_size
            keys[layer, head] = room.queries[:count, head * key_size : (head + 1) * key_size].T
            values[layer, head] = room.qkv[:count, at : at + key_size]
        if layer < layers - 1:
            rotated(room.qkv, QUERIES, phases, START, room.queries)
            _layer(x, weights, layer, seen, START, room)

"""Products of matrices by vectors of 64 bytes (AVX-512): of float32, and of bfloat16 where the processor multiplies
and adds two of them at once.

A block of the result stays in registers while the sum runs, which the compiler would not find by itself. Sizes need
be no multiples of anything: the last block of a row or column overlaps the one before it. The second operand of
bfloat16 is interleaved (`interleaving`).
"""

from __future__ import annotations

from typing import Any

import llvmlite.binding
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic, register_jitable

from ranking.phoenix.tiles import place

FEATURES = llvmlite.binding.get_host_cpu_features()
HAS_VECTORS = bool(FEATURES.get("avx512f"))
HAS_PAIRS = HAS_VECTORS and bool(FEATURES.get("avx512bf16"))

LANES = 16
# Eight rows by two vectors: 16 sums hide the instruction's latency, and leave registers for the operands.
ROWS = 8
WIDE, NARROW = 2, 1  # vectors in a row of a block

_INDEX, _WORD, _FLOAT = ir.IntType(64), ir.IntType(32), ir.FloatType()
_FLOATS, _WORDS = ir.VectorType(_FLOAT, LANES), ir.VectorType(_WORD, LANES)


class _BFloat(ir.Type):
    """A type of LLVM's that llvmlite does not know."""

    def _to_string(self) -> str:
        return "bfloat"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _BFloat)

    def __hash__(self) -> int:
        return hash(_BFloat)


_PAIRS = ir.VectorType(_BFloat(), 2 * LANES)


def _load(builder: Any, start: Any, offset: Any, kind: Any) -> Any:
    return builder.load(builder.bitcast(builder.gep(start, [offset]), kind.as_pointer()), align=2)


def _spread(builder: Any, value: Any, kind: Any) -> Any:
    """The value in all lanes."""
    nothing = ir.Constant(kind, ir.Undefined)
    first = builder.insert_element(nothing, value, ir.Constant(_WORD, 0))
    return builder.shuffle_vector(first, nothing, ir.Constant(ir.VectorType(_WORD, LANES), [0] * LANES))


def _added(builder: Any, sums: Any, a: Any, b: Any, *, is_narrow: bool) -> Any:
    """sums + a b in each lane; for pairs the sum of both products."""
    name, arguments = "llvm.fma.v16f32", [a, b, sums]
    if is_narrow:
        name = "llvm.x86.avx512bf16.dpbf16ps.512"
        arguments = [sums, builder.bitcast(a, _PAIRS), builder.bitcast(b, _PAIRS)]
    kind = ir.FunctionType(_FLOATS, [argument.type for argument in arguments])
    return builder.call(cgutils.get_or_insert_function(builder.module, kind, name), arguments)


@intrinsic(prefer_literal=True)
def _put_block(_context: Any, vectors: Any, a: Any, b: Any, out: Any, row: Any, column: Any) -> Any:
    """`ROWS` rows and so many vectors of out = a b, from row and column on; a step takes four bytes of each row
    of a: a float32, or a pair of bfloat16."""
    is_narrow = a.dtype == types.uint16
    step, steps_of = (_WORD, _WORDS) if is_narrow else (_FLOAT, _FLOATS)
    across = range(vectors.literal_value)

    def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        def number(value: int) -> Any:
            return ir.Constant(_INDEX, value)

        kinds, (given_a, given_b, given_out, row, column) = signature.args[1:4], values[1:]
        a, a_row = place(context, builder, kinds[:1], (given_a, row, number(0)))
        b, b_row = place(context, builder, kinds[1:2], (given_b, number(0), column))
        out, out_row = place(context, builder, kinds[2:], (given_out, row, column))
        steps = cgutils.unpack_tuple(builder, context.make_array(kinds[1])(context, builder, given_b).shape)[0]

        before, loop, after = builder.block, builder.append_basic_block("sum"), builder.append_basic_block("summed")
        builder.branch(loop)
        builder.position_at_end(loop)
        k = builder.phi(_INDEX)
        k.add_incoming(number(0), before)
        so_far = {(i, vector): builder.phi(_FLOATS) for i in range(ROWS) for vector in across}
        second = [
            _load(builder, b, builder.add(builder.mul(k, b_row), number(64 * vector)), steps_of) for vector in across
        ]
        sums = {}
        for i in range(ROWS):
            offset = builder.add(builder.mul(a_row, number(i)), builder.mul(k, number(4)))
            first = _spread(builder, _load(builder, a, offset, step), steps_of)
            for vector in across:
                total = so_far[i, vector]
                sums[i, vector] = _added(builder, total, first, second[vector], is_narrow=is_narrow)
                total.add_incoming(ir.Constant(_FLOATS, [0.0] * LANES), before)
                total.add_incoming(sums[i, vector], loop)
        following = builder.add(k, number(1))
        k.add_incoming(following, loop)
        builder.cbranch(builder.icmp_signed("<", following, steps), loop, after)

        builder.position_at_end(after)
        for (i, vector), total in sums.items():
            there = builder.gep(out, [builder.add(builder.mul(out_row, number(i)), number(64 * vector))])
            builder.store(total, builder.bitcast(there, _FLOATS.as_pointer()), align=4)
        return context.get_dummy_value()

    return types.void(vectors, a, b, out, types.intp, types.intp), generate


@register_jitable
def multiply_by_vectors(a: Any, b: Any, out: Any) -> None:
    """out [N, M] = a [N, K] b: float32 with b [K, M], or bfloat16 (as uint16) with b interleaved [K / 2, M, 2].

    N is at least `ROWS`, M at least `LANES`, K not 0.
    """
    rows, columns = out.shape
    last, wide = rows - ROWS, WIDE * LANES
    column = 0
    while column < columns:
        if columns >= wide and columns - column > LANES:
            for row in range(0, rows, ROWS):
                _put_block(WIDE, a, b, out, min(row, last), min(column, columns - wide))
            column += wide
        else:
            for row in range(0, rows, ROWS):
                _put_block(NARROW, a, b, out, min(row, last), min(column, columns - LANES))
            column += LANES

"""Products of bfloat16 matrices by the tile instructions (AMX) of server processors since 2023.

A tile is a register of 16 rows of 64 bytes.
"""

from __future__ import annotations

import ctypes
from typing import Any

import llvmlite.binding
import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic, register_jitable

from ranking.phoenix.interleaving import STEP

SIDE = 16
# The configuration of the instruction LDTILECFG: palette 1, eight tiles of 16 rows of 64 bytes.
SHAPES = np.zeros(64, np.uint8)
SHAPES[0], SHAPES[16:32:2], SHAPES[48:56] = 1, 64, SIDE

_ARCH_PRCTL, _REQUEST_PERMISSION, _TILE_DATA = 158, 0x1023, 18


def _are_allowed() -> bool:
    """Whether the processor has tiles, and Linux lets this process use them: it has to be asked."""
    features = llvmlite.binding.get_host_cpu_features()
    if not (features.get("amx-tile") and features.get("amx-bf16")):
        return False
    return ctypes.CDLL(None).syscall(_ARCH_PRCTL, _REQUEST_PERMISSION, _TILE_DATA) == 0


HAS_TILES = _are_allowed()


def _call(builder: Any, name: str, *arguments: Any) -> None:
    kind = ir.FunctionType(ir.VoidType(), [argument.type for argument in arguments])
    builder.call(cgutils.get_or_insert_function(builder.module, kind, f"llvm.x86.{name}"), arguments)


def _number(tile: Any) -> Any:
    return ir.Constant(ir.IntType(8), tile.literal_value)


def place(context: Any, builder: Any, kinds: Any, values: Any) -> tuple[Any, Any]:
    """Address of an element of a matrix, and the bytes from row to row."""
    array = context.make_array(kinds[0])(context, builder, values[0])
    strides = cgutils.unpack_tuple(builder, array.strides)
    offset = builder.add(builder.mul(values[1], strides[0]), builder.mul(values[2], strides[1]))
    return cgutils.pointer_add(builder, array.data, offset, return_type=cgutils.voidptr_t), strides[0]


def _moving(name: str) -> Any:
    """Between a tile (a literal) and the 16 rows of an array at row i, column j."""

    @intrinsic(prefer_literal=True)
    def move(_context: Any, tile: Any, array: Any, i: Any, j: Any) -> Any:
        def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
            at = place(context, builder, signature.args[1:], values[1:])
            _call(builder, name, _number(tile), *at)
            return context.get_dummy_value()

        return types.void(tile, array, types.intp, types.intp), generate

    return move


_load, _store = _moving("tileloadd64"), _moving("tilestored64")


@intrinsic(prefer_literal=True)
def _clear(_context: Any, tile: Any) -> Any:
    def generate(context: Any, builder: Any, _signature: Any, _values: Any) -> Any:
        _call(builder, "tilezero", _number(tile))
        return context.get_dummy_value()

    return types.void(tile), generate


@intrinsic(prefer_literal=True)
def _add_product(_context: Any, sums: Any, a: Any, b: Any) -> Any:
    def generate(context: Any, builder: Any, _signature: Any, _values: Any) -> Any:
        _call(builder, "tdpbf16ps", _number(sums), _number(a), _number(b))
        return context.get_dummy_value()

    return types.void(sums, a, b), generate


@intrinsic
def _configure(_context: Any, shapes: Any) -> Any:
    def generate(context: Any, builder: Any, _signature: Any, values: Any) -> Any:
        array = context.make_array(shapes)(context, builder, values[0])
        _call(builder, "ldtilecfg", builder.bitcast(array.data, cgutils.voidptr_t))
        return context.get_dummy_value()

    return types.void(shapes), generate


@intrinsic
def _release(_context: Any) -> Any:
    def generate(context: Any, builder: Any, _signature: Any, _values: Any) -> Any:
        _call(builder, "tilerelease")
        return context.get_dummy_value()

    return types.void(), generate


@register_jitable
def multiply_by_tiles(a: Any, b: Any, out: Any) -> None:
    """out [N, M] = a [N, K] b, with b interleaved [K / 2, M, 2]; in blocks of two by two tiles."""
    _configure(SHAPES)
    rows, inner = a.shape
    for column in range(0, b.shape[1], 2 * SIDE):
        for row in range(0, rows, 2 * SIDE):
            _clear(0)
            _clear(1)
            _clear(2)
            _clear(3)
            for k in range(0, inner, STEP):
                _load(4, a, row, k)
                _load(5, a, row + SIDE, k)
                _load(6, b, k // 2, column)
                _load(7, b, k // 2, column + SIDE)
                _add_product(0, 4, 6)
                _add_product(1, 4, 7)
                _add_product(2, 5, 6)
                _add_product(3, 5, 7)
            _store(0, out, row, column)
            _store(1, out, row, column + SIDE)
            _store(2, out, row + SIDE, column)
            _store(3, out, row + SIDE, column + SIDE)
    _release()

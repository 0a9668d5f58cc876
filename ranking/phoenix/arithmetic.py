"""The arithmetic of the kernels, compiled: exponentials that become vector instructions, bfloat16 as bits."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from llvmlite import ir
from numba import njit, types
from numba.extending import intrinsic, overload, register_jitable

from ranking.phoenix.config import ATTENTION_CAP

Kernel = TypeVar("Kernel", bound=Callable[..., None])

# Sums may be reordered, so that they use vectors; values that are not finite keep their meaning.
FAST_MATH = {"reassoc", "contract", "nsz", "arcp"}

INLINED = ("arithmetic", "config", "interleaving", "products", "tiles", "vectors")

ONE = np.float32(1)
LOG2_E = 1.4426950408889634
# What attention products are multiplied by before `capped_exp`: tanh(x) = 1 - 2 / (1 + 2^(2 log2(e) x)).
CAP_SCALE = 2 * LOG2_E / ATTENTION_CAP
_CAP = np.float32(ATTENTION_CAP * LOG2_E)
_TWICE_CAP = np.float32(-2 * ATTENTION_CAP * LOG2_E)
# Beyond these powers tanh is +-1, and a logistic 0 or 1, in float32.
_MAX_POWER = np.float32(60)
# gelu by its tanh form, written with a logistic: x / (1 + 2^(-2 log2(e) sqrt(2/pi) (x + 0.044715 x^3)))
_GELU_LINEAR = np.float32(-2 * LOG2_E * (2 / np.pi) ** 0.5)
_GELU_CUBIC = np.float32(-2 * LOG2_E * (2 / np.pi) ** 0.5 * 0.044715)
# 2^f for |f| <= 1/2: of the polynomials with these powers, lowest first, that with the smallest relative error, 9e-8.
_C1, _C2, _C3, _C4, _C5 = (
    np.float32(c) for c in (0.6931469776, 0.2402224209, 0.05550733743, 0.00967151264, 0.00132647272)
)
_MANTISSA_BITS = np.int32(23)


@cache
def inlined(folder: Path = Path(__file__).parent) -> str:
    """A name for the sources of all that kernels of several files have inside."""
    digest = hashlib.sha256()
    for name in INLINED:
        digest.update((folder / f"{name}.py").read_bytes())
    return digest.hexdigest()[:12]


def compiled(function: Kernel) -> Kernel:
    """Compiles on first use and keeps the result on disk; where no place is writable, for this process."""
    # Numba sees for itself when the function's own file has changed, and names what it keeps by this.
    function.__qualname__ += f"_{inlined()}"
    options = {"nogil": True, "error_model": "numpy", "fastmath": FAST_MATH}
    try:
        return njit(cache=True, **options)(function)
    except RuntimeError:
        return njit(**options)(function)


@intrinsic
def wide_vectors(_context: Any) -> Any:
    """Lets the function that calls it use vectors of 64 bytes where the processor has them. LLVM keeps to 32
    for the sake of clock rates, which only long pauses between wide instructions would be worth."""

    def generate(context: Any, builder: Any, _signature: Any, _arguments: Any) -> Any:
        # llvmlite's own `add` knows attributes without values alone.
        set.add(builder.function.attributes, '"prefer-vector-width"="512"')
        return context.get_dummy_value()

    return types.void(), generate


@intrinsic
def as_float(_context: Any, _bits: Any) -> Any:
    """The float32 with these bits."""
    return types.float32(types.int32), lambda _c, builder, _s, args: builder.bitcast(args[0], ir.FloatType())


@intrinsic
def as_bits(_context: Any, _value: Any) -> Any:
    """The bits of a float32."""
    return types.int32(types.float32), lambda _c, builder, _s, args: builder.bitcast(args[0], ir.IntType(32))


@intrinsic
def _nearest(_context: Any, _value: Any) -> Any:
    """The nearest whole number to a float32."""

    def generate(_c: Any, builder: Any, _s: Any, args: Any) -> Any:
        kind = ir.FunctionType(ir.IntType(32), [ir.FloatType()])
        return builder.call(builder.module.declare_intrinsic("llvm.lrint.i32.f32", fnty=kind), args)

    return types.int32(types.float32), generate


@register_jitable
def bits_of_narrow(value: Any) -> Any:
    """The nearest bfloat16 to a float32, in the lower half of 32 bits."""
    return np.uint32(np.uint32(as_bits(value)) + np.uint32(0x8000)) >> np.uint32(16)


def narrow(value: Any, array: Any) -> Any:
    """A float32 as an element of the array: itself, or rounded to the nearest bfloat16."""
    raise NotImplementedError("compiled code only")


@overload(narrow, inline="always")
def _narrow_overload(value: Any, array: Any) -> Any:
    def kept(value: Any, array: Any) -> Any:
        return value

    def rounded(value: Any, array: Any) -> Any:
        return np.uint16(bits_of_narrow(value))

    return kept if array.dtype == types.float32 else rounded


def put_split(value: Any, out: Any, i: Any, j: Any, size: Any) -> None:
    """Writes a float32 to row i, column j of [N, size]; as bfloat16 into [N, 3 size] as what it rounds to, what
    that leaves, and what it rounds to again, for a product that loses almost nothing (`products.split`)."""
    raise NotImplementedError("compiled code only")


@overload(put_split, inline="always")
def _put_split_overload(value: Any, out: Any, i: Any, j: Any, size: Any) -> Any:
    def kept(value: Any, out: Any, i: Any, j: Any, size: Any) -> Any:
        out[i, j] = value

    def split(value: Any, out: Any, i: Any, j: Any, size: Any) -> Any:
        high = narrow(value, out)
        out[i, j] = high
        out[i, size + j] = narrow(value - as_float(np.int32(np.int32(high) << np.int32(16))), out)
        out[i, 2 * size + j] = high

    return kept if out.dtype == types.float32 else split


@register_jitable
def _power_of_two(x: Any) -> Any:
    """2^x for |x| <= 126."""
    whole = _nearest(x)
    f = x - np.float32(whole)
    p = ((((_C5 * f + _C4) * f + _C3) * f + _C2) * f + _C1) * f + ONE
    return as_float(np.int32(as_bits(p) + np.int32(whole << _MANTISSA_BITS)))


@register_jitable
def _bounded(x: Any) -> Any:
    return min(max(x, -_MAX_POWER), _MAX_POWER)


@register_jitable
def capped_exp(x: Any) -> Any:
    """exp(cap * tanh(logit / cap)) for x = logit * `CAP_SCALE`: an attention weight before it is normalised,
    finite, since the cap is 30."""
    return _power_of_two(_CAP + _TWICE_CAP / (ONE + _power_of_two(_bounded(x))))


@register_jitable
def gelu(x: Any) -> Any:
    """By its tanh form."""
    return x / (ONE + _power_of_two(_bounded(x * (_GELU_LINEAR + _GELU_CUBIC * x * x))))

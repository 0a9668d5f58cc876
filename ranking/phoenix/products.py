"""Matrix products inside compiled code: `multiply`, by tiles, by vectors, or by the BLAS of torch on x86 (MKL).

Bfloat16 matrices are multiplied by tiles where the processor has them, else by vectors where it has instructions for
pairs. Float32 goes to MKL where MKL is at home; on processors of another maker, for which it uses half of their
vectors, our own make more than twice of what it does. MKL takes its number of threads from the calling thread's
setting in torch. Where torch comes without it, SciPy's BLAS multiplies in float32: right, and for bfloat16 not fast,
so that no server would choose it.
"""

from __future__ import annotations

import ctypes
from pathlib import Path
from typing import Any

import llvmlite.binding
import numpy as np
import numpy.typing as npt
import torch
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic, overload, register_jitable
from torch import Tensor

from ranking.phoenix.arithmetic import as_float
from ranking.phoenix.interleaving import interleaved, padded
from ranking.phoenix.tiles import HAS_TILES, multiply_by_tiles
from ranking.phoenix.vectors import HAS_PAIRS, HAS_VECTORS, LANES, ROWS, multiply_by_vectors

LIBRARY = Path(torch.__file__).parent / "lib" / "libtorch_cpu.so"
# MKL's Fortran interface with 64-bit sizes: C = alpha A B + beta C, column-major, everything by reference.
FLOAT32_PRODUCT, BFLOAT16_PRODUCT = "SGEMM_64", "GEMM_BF16BF16F32_64"


def _has_mkl() -> bool:
    """Makes MKL's products known to the compiler."""
    try:
        library = ctypes.CDLL(str(LIBRARY))
        for name in (FLOAT32_PRODUCT, BFLOAT16_PRODUCT):
            address = ctypes.cast(getattr(library, name), ctypes.c_void_p).value
            llvmlite.binding.add_symbol(name, address)
    except (OSError, AttributeError):
        return False
    return True


HAS_MKL = _has_mkl()
IS_INTERLEAVED = HAS_TILES or HAS_PAIRS
# AMD's processors go by this name; see above.
IS_BY_VECTORS = HAS_VECTORS and (llvmlite.binding.get_host_cpu_name().startswith("znver") or not HAS_MKL)


@intrinsic
def _by_mkl(_context: Any, a: Any, b: Any, out: Any) -> Any:
    """Row-major out = a b, which is the column-major out' = b' a'."""
    name = BFLOAT16_PRODUCT if a.dtype == types.uint16 else FLOAT32_PRODUCT
    kinds = (a, b, out)

    def generate(context: Any, builder: Any, _signature: Any, values: Any) -> Any:
        a, b, out = (
            context.make_array(kind)(context, builder, value) for kind, value in zip(kinds, values, strict=True)
        )

        def reference(value: Any) -> Any:
            return builder.bitcast(cgutils.alloca_once_value(builder, value), cgutils.voidptr_t)

        def rows_apart(array: Any) -> Any:
            stride = cgutils.unpack_tuple(builder, array.strides)[0]
            return reference(builder.sdiv(stride, array.itemsize))

        (rows, inner), columns = cgutils.unpack_tuple(builder, a.shape), cgutils.unpack_tuple(builder, b.shape)[1]
        plain = context.insert_const_string(builder.module, "N")
        one, zero = (reference(ir.Constant(ir.FloatType(), number)) for number in (1.0, 0.0))
        arguments = [plain, plain, reference(columns), reference(rows), reference(inner), one]
        for array in (b, a):
            arguments += [builder.bitcast(array.data, cgutils.voidptr_t), rows_apart(array)]
        arguments += [zero, builder.bitcast(out.data, cgutils.voidptr_t), rows_apart(out)]
        kind = ir.FunctionType(ir.VoidType(), [cgutils.voidptr_t] * len(arguments))
        builder.call(cgutils.get_or_insert_function(builder.module, kind, name), arguments)
        return context.get_dummy_value()

    return types.void(a, b, out), generate


def operand(matrices: Tensor, dtype: torch.dtype) -> npt.NDArray[Any]:
    """Float32 matrices [..., A, B] as second operands of products: themselves, or bfloat16 as uint16, interleaved
    and padded where tiles or pairs are multiplied."""
    given = matrices.detach().contiguous()
    if dtype == torch.float32:
        return given.numpy()
    return interleaved(given.numpy()) if IS_INTERLEAVED else given.to(dtype).view(torch.uint16).numpy()


def inner_size(size: int, dtype: torch.dtype) -> int:
    """The size over which products of this precision sum: interleaved bfloat16 is padded."""
    return padded(size) if dtype != torch.float32 and IS_INTERLEAVED else size


def split(matrices: Tensor) -> Tensor:
    """[..., A, B] as [..., 3 A, B]: what bfloat16 makes of it, again, and what that leaves. The product with what
    `arithmetic.put_split` writes is short of that in float32 by two roundings of what was left, 2^-16 of it."""
    high = matrices.bfloat16().float()
    return torch.cat([high, high, matrices - high], dim=-2)


@register_jitable
def rows_of(b: Any) -> Any:
    """Columns that a first operand needs for this second one, padding included; interleaved ones have two rows
    in one."""
    return b.shape[0] * (b.ndim - 1)


def multiply(a: Any, b: Any, out: Any) -> None:
    """out = a b for matrices whose rows are contiguous: a and b float32 or bfloat16 (as uint16), out float32.

    An interleaved b is [K / 2, M, 2]: all sizes, rows included, are multiples of `STEP`.
    """
    raise NotImplementedError("compiled code only")


def widened(array: Any) -> Any:
    """The matrix as contiguous float32."""
    raise NotImplementedError("compiled code only")


@overload(widened)
def _widened_overload(array: Any) -> Any:
    def same(array: Any) -> Any:
        return np.ascontiguousarray(array)

    def shifted(array: Any) -> Any:
        out = np.empty(array.shape, np.float32)
        for i in range(array.shape[0]):
            for j in range(array.shape[1]):
                out[i, j] = as_float(np.int32(np.int32(array[i, j]) << np.int32(16)))
        return out

    return same if array.dtype == types.float32 else shifted


def _multiply_by_scipy(a: Any, b: Any, out: Any) -> None:
    out[:] = np.dot(widened(a), widened(b))


def _multiply_by_mkl(a: Any, b: Any, out: Any) -> None:
    _by_mkl(a, b, out)


def _multiply_by_tiles(a: Any, b: Any, out: Any) -> None:
    multiply_by_tiles(a, b, out)


def _multiply_by_pairs(a: Any, b: Any, out: Any) -> None:
    multiply_by_vectors(a, b, out)


_multiply_plainly = register_jitable(_multiply_by_mkl if HAS_MKL else _multiply_by_scipy)


def _multiply_by_vectors(a: Any, b: Any, out: Any) -> None:
    if out.shape[0] >= ROWS and out.shape[1] >= LANES and b.shape[0]:
        multiply_by_vectors(a, b, out)
    else:
        _multiply_plainly(a, b, out)


@overload(multiply)
def _multiply_overload(a: Any, b: Any, out: Any) -> Any:
    if b.ndim == 3:
        return _multiply_by_tiles if HAS_TILES else _multiply_by_pairs
    if a.dtype == types.float32 and IS_BY_VECTORS:
        return _multiply_by_vectors
    return _multiply_by_mkl if HAS_MKL else _multiply_by_scipy

"""Matrix products inside compiled code: `multiply`, by the BLAS that torch brings along on x86 (MKL).

MKL takes its number of threads from the calling thread's setting in torch. Where torch comes without it,
SciPy's BLAS multiplies in float32: right, and for bfloat16 not fast, so that no server would choose it.
"""

from __future__ import annotations

import ctypes
from pathlib import Path
from typing import Any

import llvmlite.binding
import numpy as np
import torch
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic, overload

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


@intrinsic
def as_float(_context: Any, _bits: Any) -> Any:
    """The float32 with these bits."""
    return types.float32(types.int32), lambda _c, builder, _s, args: builder.bitcast(args[0], ir.FloatType())


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


def multiply(a: Any, b: Any, out: Any) -> None:
    """out = a b for matrices whose rows are contiguous: a and b float32 or bfloat16 (as uint16), out float32."""
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


@overload(multiply)
def _multiply_overload(a: Any, b: Any, out: Any) -> Any:
    return _multiply_by_mkl if HAS_MKL else _multiply_by_scipy

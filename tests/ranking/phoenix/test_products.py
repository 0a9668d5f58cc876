"""Products in compiled code: by MKL and by what stands in for it elsewhere, both as NumPy multiplies."""

import numpy as np
import pytest
from numba import njit

from ranking.phoenix import products


def narrowed(array):
    """Float32 to bfloat16 bits, and the float32 that they mean."""
    bits = (array.view(np.uint32) >> 16).astype(np.uint16)
    return bits, (bits.astype(np.uint32) << 16).view(np.float32)


@njit
def by_what_serves(a, b, out):
    products.multiply(a, b, out)


WAYS = {"as served": by_what_serves, "without MKL": njit(products._multiply_by_scipy)}


@pytest.mark.parametrize("way", WAYS.values(), ids=list(WAYS))
@pytest.mark.parametrize("is_narrow", [False, True], ids=["float32", "bfloat16"])
def test_a_product_is_that_of_numpy_on_columns_of_wider_arrays_too(way, is_narrow):
    rng = np.random.default_rng(0)
    a, b = (rng.normal(size=size).astype(np.float32) for size in ((5, 12), (7, 9)))
    operands = [narrowed(each) if is_narrow else (each, each) for each in (a, b)]
    (given_a, meant_a), (given_b, meant_b) = operands
    out = np.full((5, 9), np.nan, np.float32)
    way(given_a[:, 3:10], given_b, out)
    np.testing.assert_allclose(out, meant_a[:, 3:10] @ meant_b, atol=2e-5)

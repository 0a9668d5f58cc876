"""Products in compiled code, by tiles, vectors, MKL and what stands in for it elsewhere: as NumPy multiplies."""

import numpy as np
import pytest
import torch
from numba import njit

from ranking.phoenix import arithmetic, products, vectors

needs_pairs = pytest.mark.skipif(not products.IS_INTERLEAVED, reason="the processor has neither tiles nor pairs")
needs_vectors = pytest.mark.skipif(not vectors.HAS_VECTORS, reason="the processor has no vectors of 64 bytes")


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


@needs_vectors
@pytest.mark.parametrize("columns", [16, 17, 31, 32, 33, 48, 49, 70, 96])
@pytest.mark.parametrize("rows", [8, 9, 40])
def test_vectors_multiply_sizes_that_are_no_multiples_of_blocks(rows, columns):
    @njit
    def by_vectors(a, b, out):
        vectors.multiply_by_vectors(a, b, out)

    rng = np.random.default_rng(0)
    a, b = (rng.normal(size=size).astype(np.float32) for size in ((rows, 12), (7, columns)))
    out = np.full((rows, columns + 2), np.nan, np.float32)
    by_vectors(a[:, 3:10], b, out[:, 1:-1])
    np.testing.assert_allclose(out[:, 1:-1], a[:, 3:10] @ b, atol=2e-5)
    assert np.isnan(out[:, [0, -1]]).all()


@needs_pairs
def test_interleaved_products_are_of_columns_of_wider_arrays_and_of_what_is_padded():
    rng = np.random.default_rng(0)
    a, b = (rng.normal(size=size).astype(np.float32) for size in ((32, 96), (51, 70)))
    b = narrowed(b)[1]
    given_a, meant_a = narrowed(a)
    out = np.full((32, 96), np.nan, np.float32)
    by_what_serves(given_a[:, 32:], products.operand(torch.from_numpy(b), torch.bfloat16), out)
    np.testing.assert_allclose(out[:, :70], meant_a[:, 32:83] @ b, atol=5e-5)
    assert not out[:, 70:].any()


def test_a_split_product_loses_almost_nothing():
    @njit
    def put(values, out):
        for i in range(values.shape[0]):
            for j in range(values.shape[1]):
                arithmetic.put_split(values[i, j], out, i, j, values.shape[1])

    rng = np.random.default_rng(0)
    a, b = (rng.normal(size=size).astype(np.float32) for size in ((32, 32), (32, 32)))
    given, out = np.zeros((32, 96), np.uint16), np.zeros((32, 32), np.float32)
    put(a, given)
    by_what_serves(given, products.operand(products.split(torch.from_numpy(b)), torch.bfloat16), out)
    error = np.abs(out - a @ b).max()
    assert error < 5e-4
    assert error < np.abs(narrowed(a)[1] @ narrowed(b)[1] - a @ b).max() / 50


def test_attention_weights_and_gelu_are_those_of_numpy():
    @njit(fastmath=arithmetic.FAST_MATH)
    def computed(x, weights, gelus):
        for i in range(len(x)):
            weights[i] = arithmetic.capped_exp(x[i] * np.float32(arithmetic.CAP_SCALE))
            gelus[i] = arithmetic.gelu(x[i])

    x = np.concatenate([np.linspace(-90, 90, 5001), [-1e4, 0, 1e4]]).astype(np.float32)
    weights, gelus = np.empty_like(x), np.empty_like(x)
    computed(x, weights, gelus)
    exact = x.astype(np.float64)
    np.testing.assert_allclose(weights, np.exp(30 * np.tanh(exact / 30)), rtol=1e-5)
    with np.errstate(over="ignore"):
        expected = 0.5 * exact * (1 + np.tanh((2 / np.pi) ** 0.5 * (exact + 0.044715 * exact**3)))
    np.testing.assert_allclose(gelus, expected, rtol=1e-6, atol=1e-6)

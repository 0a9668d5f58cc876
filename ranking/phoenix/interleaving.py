"""How bfloat16 matrices lie in memory as second operands: two rows side by side, as processors multiply them, and
padded with zeros to multiples of `STEP`, so that no product has an edge."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from ranking.phoenix.arithmetic import bits_of_narrow, compiled, wide_vectors

STEP = 32


def padded(size: int) -> int:
    """The next multiple of `STEP`."""
    return -(-size // STEP) * STEP


@compiled
def _interleave(matrices: Any, pairs: Any) -> None:
    wide_vectors()
    count, rows, columns = matrices.shape
    for at in range(count):
        for i in range(rows // 2):
            for j in range(columns):
                first, second = bits_of_narrow(matrices[at, 2 * i, j]), bits_of_narrow(matrices[at, 2 * i + 1, j])
                pairs[at, i, j] = first | second << np.uint32(16)
        if rows % 2:
            for j in range(columns):
                pairs[at, rows // 2, j] = bits_of_narrow(matrices[at, rows - 1, j])


def interleaved(matrices: npt.NDArray[np.float32]) -> npt.NDArray[np.uint16]:
    """[..., K, M] as bfloat16 [..., K / 2, M, 2], padded with zeros."""
    *shape, rows, columns = matrices.shape
    count = math.prod(shape)
    pairs = np.zeros((count, padded(rows) // 2, padded(columns)), np.uint32)
    _interleave(np.ascontiguousarray(matrices).reshape(count, rows, columns), pairs)
    return pairs.view(np.uint16).reshape(*shape, *pairs.shape[1:], 2)

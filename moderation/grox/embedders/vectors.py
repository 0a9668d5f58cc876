"""What every stored vector fulfils: the declared size, finite numbers, length one."""

import numpy as np
from numpy.typing import NDArray

TOLERANCE = 1e-5


def fitted(vector: NDArray[np.floating], dimensions: int) -> NDArray[np.float32]:
    """The first `dimensions` numbers at length one: float32 [dimensions].

    Raises ValueError for a shorter vector (nothing is padded), for numbers that are not finite, and for zero.
    """
    if vector.ndim != 1 or len(vector) < dimensions:
        raise ValueError(f"an embedding of shape {vector.shape} where {dimensions} numbers are needed")
    kept = np.asarray(vector[:dimensions], dtype=np.float64)
    length = float(np.linalg.norm(kept))
    if not np.isfinite(length) or length == 0.0:
        raise ValueError(f"an embedding of length {length}")
    return (kept / length).astype(np.float32)

"""How far the scores of a head have moved from what they were. Pure.

The population stability index of two distributions over the same bins is sum((a - e) ln(a / e)). By custom less
than 0.1 is no change, and more than 0.25 is one that somebody should look into.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray

BINS = 10
NOTABLE = 0.25
_EMPTY = 1e-4  # the share of a bin that nothing fell into


def shares(counts: ArrayLike) -> NDArray[np.float64]:
    """Counts as shares of their sum."""
    numbers = np.asarray(counts, dtype=np.float64)
    return numbers / max(1.0, numbers.sum())


def stability_index(expected: ArrayLike, actual: ArrayLike) -> float:
    """The index of two lists of shares over the same bins."""
    e, a = (np.maximum(np.asarray(each, dtype=np.float64), _EMPTY) for each in (expected, actual))
    return float(((a - e) * np.log(a / e)).sum())

"""Small operations on columns of ids.

NumPy's own spread values over a hash table, which for the thousand ids of a page takes three times as
long as sorting them.
"""

import numpy as np


def first_of(values: np.ndarray) -> np.ndarray:
    """A mask of each value's first occurrence."""
    mask = np.zeros(len(values), dtype=bool)
    mask[np.unique(values, return_index=True)[1]] = True
    return mask


def among(values: np.ndarray, ids: np.ndarray) -> np.ndarray:
    """A mask of the values that are among the ids, which need not be sorted."""
    return found_in(np.sort(ids), values)[1]


def found_in(known: np.ndarray, values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Where each value stands among sorted ids, and which are there at all; the others have some place."""
    if not len(known):
        return np.zeros(values.shape, np.int64), np.zeros(values.shape, dtype=bool)
    at = np.minimum(np.searchsorted(known, values), len(known) - 1)
    return at, known[at] == values

"""Small operations on columns."""

import numpy as np


def first_of(values: np.ndarray) -> np.ndarray:
    """A mask of each value's first occurrence."""
    mask = np.zeros(len(values), dtype=bool)
    mask[np.unique(values, return_index=True)[1]] = True
    return mask

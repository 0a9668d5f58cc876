"""Sortable keys and ranges: what the vectorised joins by (who, when) are made of."""

from __future__ import annotations

import numpy as np

from ranking.types import Int64s

# Composite keys put a dense index above 42 bits of milliseconds (139 years).
TIME_BITS = 42


def composite(index: Int64s, at_ms: Int64s) -> Int64s:
    """One sortable number from a dense index and a time."""
    return (index.astype(np.int64) << TIME_BITS) | at_ms


def ranges(low: Int64s, high: Int64s) -> Int64s:
    """low..high of every pair, one after the other."""
    lengths = high - low
    offsets = np.repeat(np.cumsum(lengths) - lengths, lengths)
    return np.arange(lengths.sum()) - offsets + np.repeat(low, lengths)

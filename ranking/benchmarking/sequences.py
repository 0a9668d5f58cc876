"""Windows of people's item sequences, for the models that read order."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from ranking.benchmarking.known import Known
from ranking.benchmarking.protocols import Requests
from ranking.types import Int64s

MAX_SOFTMAX_ITEMS = 8_192


def training_windows(known: Known, length: int) -> Int64s:
    """Rows of the table [W, length + 1], oldest first, left-aligned, -1 for padding.

    A window's last column follows its last input; long sequences are cut into windows from their end,
    each beginning with the last row of the one before, so that every row but the first is predicted once.
    """
    by_user = known.rows[np.argsort(known.table.users[known.rows], kind="stable")]
    bounds = np.flatnonzero(np.diff(known.table.users[by_user], prepend=-1, append=-1))
    windows = []
    for start, stop in zip(bounds[:-1].tolist(), bounds[1:].tolist(), strict=True):
        while stop - start >= 2:
            low = max(start, stop - length - 1)
            windows.append(by_user[low:stop])
            stop = low + 1
    out = np.full((len(windows), length + 1), -1, dtype=np.int64)
    for row, window in zip(out, windows, strict=True):
        row[: len(window)] = window
    return out


def recent_histories(known: Known, requests: Requests, index: Int64s, length: int) -> Int64s:
    """The newest rows of the table [R, length] before each request, left-aligned, -1 for padding."""
    out = np.full((len(index), length), -1, dtype=np.int64)
    for row, request in zip(out, index.tolist(), strict=True):
        history = known.history(request, requests)[-length:]
        row[: len(history)] = history
    return out


def softmax_columns(rng: np.random.Generator, wanted: Int64s, count: int) -> tuple[Tensor, Tensor]:
    """Items of a softmax over `count`, and the column of each wanted one; of many items a sample stands for all."""
    if count <= MAX_SOFTMAX_ITEMS:
        return torch.arange(count), torch.from_numpy(wanted)
    columns = np.union1d(wanted, rng.integers(0, count, MAX_SOFTMAX_ITEMS // 2))
    return torch.from_numpy(columns), torch.from_numpy(np.searchsorted(columns, wanted))

"""Identifiers to rows of the embedding tables: several hashes per id, signed 64-bit wrap-around.

Twin of the hash functions of `phoenix/run_pipeline.py`, vectorised. Identifier 0 means "nobody" and
always maps to row 0, which is read as the zero vector.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ranking.phoenix.config import EntityHash, PhoenixConfig

IntArray = npt.NDArray[np.int64]

RESERVED_ROWS = 65  # leading zero rows of the unified table


def signed_ids(ids: npt.ArrayLike) -> IntArray:
    """Ids as signed 64-bit numbers; unsigned ones keep their bits."""
    array = np.asarray(ids)
    if array.dtype == np.uint64:
        return array.view(np.int64)
    return array.astype(np.int64, copy=False)


def hash_ids(ids: npt.ArrayLike, entity: EntityHash) -> IntArray:
    """Rows of the split table, shape [..., hashes]; the wrap of the product is part of the function."""
    column = signed_ids(ids)[..., None]
    scales = np.array(entity.scales, dtype=np.int64)
    biases = np.array(entity.biases, dtype=np.int64)
    with np.errstate(over="ignore"):
        residues = (column * scales + biases) % entity.modulus
    return np.where(column == 0, 0, residues % (entity.vocab_size - 1) + 1)


def unified_rows(rows: IntArray, *, entity: str, config: PhoenixConfig) -> npt.NDArray[np.int32]:
    """Split-table rows as indices into the published unified table (users, items, authors stacked)."""
    offset = RESERVED_ROWS
    if entity != "user":
        offset += config.user_hash.vocab_size
    if entity == "author":
        offset += config.item_hash.vocab_size
    return np.where(rows == 0, 0, rows + offset).astype(np.int32)

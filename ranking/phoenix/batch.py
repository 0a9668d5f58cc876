"""What the models read: identifiers and features of contexts (user and history) and of candidates.

Arrays are torch tensors with a leading batch axis B; S history items, C candidates, A actions.
History is left-aligned, oldest first, padding (post id 0) at the tail.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from ranking.phoenix.config import EntityHash, PhoenixConfig
from ranking.phoenix.hashing import hash_ids

# How NumPy stores what it has no type for: bfloat16 arrays are saved as two opaque bytes each.
BFLOAT16 = np.dtype("V2")


def as_float32(array: npt.NDArray[Any]) -> npt.NDArray[np.float32]:
    """A floating-point array of any width, bfloat16 included."""
    if array.dtype == BFLOAT16:
        bits = np.ascontiguousarray(array).view("<u2").astype(np.uint32) << 16
        return bits.view(np.float32)
    with np.errstate(over="ignore"):
        return array.astype(np.float32, copy=False)


@dataclass(frozen=True)
class Context:
    """A user and what the user did. Optional tensors may be absent."""

    user_ids: Tensor  # int64 [B]
    post_ids: Tensor  # int64 [B, S]
    author_ids: Tensor  # int64 [B, S]
    actions: Tensor  # float [B, S, A]
    surface: Tensor  # int64 [B, S]
    dwell_seconds: Tensor | None = None  # float [B, S]
    content: Tensor | None = None  # float [B, S, content_size]
    features: Tensor | None = None  # float [B, S, num_history_features]
    user_ip_rows: Tensor | None = None  # float [B, ip hashes, D], already looked up


@dataclass(frozen=True)
class Candidates:
    """Posts to be scored. Without both timestamps (Unix seconds) the post age is unknown."""

    post_ids: Tensor  # int64 [B, C]
    author_ids: Tensor  # int64 [B, C]
    surface: Tensor  # int64 [B, C]
    impression_seconds: Tensor | None = None  # int64 [B, C]
    creation_seconds: Tensor | None = None  # int64 [B, C]
    content: Tensor | None = None  # float [B, C, content_size]
    features: Tensor | None = None  # float [B, C, num_candidate_features]


class Tables(Protocol):
    """Embedding rows by identifier: ids [...] -> (rows [..., hashes, D], valid [...])."""

    def user(self, ids: Tensor) -> tuple[Tensor, Tensor]: ...

    def item(self, ids: Tensor) -> tuple[Tensor, Tensor]: ...

    def author(self, ids: Tensor) -> tuple[Tensor, Tensor]: ...


class ArrayTables:
    """Read-only tables over NumPy arrays, memory-mapped ones included: only the rows asked for are read.

    A post that came after the training has rows all the same, those of other posts that share its hashes;
    they are read as zero, which the model knows from training (`TrainableTables.item_dropout`).
    """

    def __init__(self, arrays: dict[str, npt.NDArray[np.float32]], config: PhoenixConfig) -> None:
        self.arrays = arrays
        self.config = config

    def user(self, ids: Tensor) -> tuple[Tensor, Tensor]:
        return self._rows("user", self.config.user_hash, ids)

    def item(self, ids: Tensor) -> tuple[Tensor, Tensor]:
        rows, valid = self._rows("item", self.config.item_hash, ids)
        if self.config.item_ids_below:
            rows[ids >= self.config.item_ids_below] = 0.0
        return rows, valid

    def author(self, ids: Tensor) -> tuple[Tensor, Tensor]:
        return self._rows("author", self.config.author_hash, ids)

    def _rows(self, name: str, entity: EntityHash, ids: Tensor) -> tuple[Tensor, Tensor]:
        index = hash_ids(ids.numpy(), entity)
        rows = as_float32(self.arrays[name][index])
        rows[index == 0] = 0.0  # row 0 of a split table is never read
        return torch.from_numpy(rows), ids != 0


class TrainableTables(nn.Module):
    """The same three tables as parameters with sparse gradients. They stay in the host's memory; the rows
    asked for go where the ids are.

    While training, each post's rows are dropped with probability `item_dropout`, so that the model
    learns to judge posts it has never met by their author, content and features.
    """

    def __init__(self, config: PhoenixConfig, *, std: float = 0.05, item_dropout: float = 0.0) -> None:
        super().__init__()
        self.config = config
        self.item_dropout = item_dropout
        for name in ("user", "item", "author"):
            vocab_size = getattr(config, f"{name}_hash").vocab_size
            table = nn.Embedding(vocab_size, config.emb_size, padding_idx=0, sparse=True)
            with torch.no_grad():
                table.weight.normal_(std=std)
                table.weight[0] = 0.0
            setattr(self, f"{name}_table", table)

    def user(self, ids: Tensor) -> tuple[Tensor, Tensor]:
        return self._rows(self.user_table, self.config.user_hash, ids)

    def item(self, ids: Tensor) -> tuple[Tensor, Tensor]:
        rows, valid = self._rows(self.item_table, self.config.item_hash, ids)
        if self.training and self.item_dropout:
            kept = torch.rand(ids.shape) >= self.item_dropout
            rows = rows * kept.to(rows.device)[..., None, None]
        return rows, valid

    def author(self, ids: Tensor) -> tuple[Tensor, Tensor]:
        return self._rows(self.author_table, self.config.author_hash, ids)

    def _rows(self, table: nn.Module, entity: EntityHash, ids: Tensor) -> tuple[Tensor, Tensor]:
        index = torch.from_numpy(hash_ids(ids.cpu().numpy(), entity))
        return table(index).to(ids.device), ids != 0

    def arrays(self) -> dict[str, npt.NDArray[np.float32]]:
        tables = {
            "user": self.user_table,
            "item": self.item_table,
            "author": self.author_table,
        }
        return {name: table.weight.detach().numpy() for name, table in tables.items()}

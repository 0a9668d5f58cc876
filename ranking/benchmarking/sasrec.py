"""SASRec (Kang and McAuley 2018): 2 blocks, 64 wide, length 200, tied output weights, full cross-entropy.

The baseline that sees identities and order but no time. `bce` is the loss of the paper instead, with one
random negative per position.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ranking.benchmarking.known import Known
from ranking.benchmarking.measures import Array
from ranking.benchmarking.protocols import Requests
from ranking.benchmarking.sequences import MAX_SOFTMAX_ITEMS, recent_histories, softmax_columns, training_windows
from ranking.types import Int64s

LIKE_LENGTH = 20  # windows whose lengths differ by less may share a batch
JUDGED_EVERY = 3  # epochs
MAX_LOGITS = 50_000_000  # of one batch: 200 MB, and as much again for their gradients


@dataclass(frozen=True)
class SasRecSettings:
    """`minutes` bounds a training; the epochs not reached are left out."""

    seed: int = 0
    epochs: int = 40
    minutes: float = 2.0
    batch: int = 128
    learning_rate: float = 1e-3
    dropout: float = 0.2
    size: int = 64
    blocks: int = 2
    heads: int = 2
    length: int = 200
    bce: bool = False


class SasRecNetwork(nn.Module):
    """Item 0 is padding; item i of the table is row i + 1."""

    def __init__(self, num_items: int, settings: SasRecSettings) -> None:
        super().__init__()
        self.length = settings.length
        self.items = nn.Embedding(num_items + 1, settings.size, padding_idx=0)
        self.places = nn.Embedding(settings.length, settings.size)
        nn.init.normal_(self.items.weight, std=settings.size**-0.5)
        nn.init.normal_(self.places.weight, std=settings.size**-0.5)
        self.dropout = nn.Dropout(settings.dropout)
        block = nn.TransformerEncoderLayer(
            settings.size, settings.heads, settings.size, settings.dropout, batch_first=True, norm_first=True
        )
        # Dropping attention weights would keep torch from its fused attention: half of the time for nothing.
        block.self_attn.dropout = 0.0
        self.blocks = nn.TransformerEncoder(block, settings.blocks, enable_nested_tensor=False)
        self.norm = nn.LayerNorm(settings.size)

    def forward(self, items: Tensor) -> Tensor:
        """[B, S] items, left-aligned, to [B, S, size]."""
        length = items.shape[1]
        x = self.dropout(self.items(items) * self.items.embedding_dim**0.5 + self.places.weight[:length])
        causal = nn.Transformer.generate_square_subsequent_mask(length)
        return self.norm(self.blocks(x, mask=causal, is_causal=True))


def _batches(rng: np.random.Generator, lengths: Int64s, size: int) -> list[Int64s]:
    """Random batches of windows [size] of like length, so that little of a batch is padding."""
    if not len(lengths):
        return []
    order = rng.permutation(len(lengths))
    order = order[np.argsort(lengths[order] // LIKE_LENGTH, kind="stable")]
    batches = np.array_split(order, -(-len(order) // size))
    return [batches[place] for place in rng.permutation(len(batches))]


class SasRec:
    """Trained on what is known; scores every item for the newest place of a history.

    A `judge` is asked every few epochs; `best` holds its highest figure and the epochs behind it.
    """

    def __init__(
        self, known: Known, settings: SasRecSettings, *, judge: Callable[[SasRec], float] | None = None
    ) -> None:
        self.known, self.settings = known, settings
        torch.manual_seed(settings.seed)
        rng = np.random.default_rng(settings.seed)
        windows = training_windows(known, settings.length)
        items = torch.from_numpy(np.where(windows >= 0, known.table.items[windows] + 1, 0))
        lengths = (windows >= 0).sum(axis=1)
        columns = 1 if settings.bce else min(known.num_items, MAX_SOFTMAX_ITEMS)
        batch = min(settings.batch, max(MAX_LOGITS // (columns * int(lengths.max(initial=1))), 1))
        self._negatives = np.random.default_rng(settings.seed)
        self.network = SasRecNetwork(known.num_items, settings)
        optimiser = torch.optim.Adam(self.network.parameters(), lr=settings.learning_rate, betas=(0.9, 0.98))
        end = time.monotonic() + 60 * settings.minutes
        self.best = (-math.inf, 0)
        is_over = False
        for self.epochs in range(1, settings.epochs + 1):
            self.network.train()
            for chosen in _batches(rng, lengths, batch):
                block = items[chosen, : lengths[chosen].max()]
                loss = self._loss(block[:, :-1], block[:, 1:])
                optimiser.zero_grad()
                loss.backward()
                optimiser.step()
                if is_over := time.monotonic() > end:
                    break
            self.network.eval()
            if judge and (is_over or self.epochs % JUDGED_EVERY == 0 or self.epochs == settings.epochs):
                self.best = max(self.best, (judge(self), self.epochs))
            if is_over:
                break

    def _loss(self, inputs: Tensor, targets: Tensor) -> Tensor:
        is_known = targets != 0
        x, wanted = self.network(inputs)[is_known], targets[is_known]
        if not self.settings.bce:
            columns, column = softmax_columns(self._negatives, wanted.numpy() - 1, self.known.num_items)
            return F.cross_entropy(x @ self.network.items.weight[columns + 1].T, column)
        others = torch.randint(1, self.known.num_items + 1, wanted.shape)
        right = (x * self.network.items(wanted)).sum(-1)
        wrong = (x * self.network.items(others)).sum(-1)
        return -(F.logsigmoid(right) + F.logsigmoid(-wrong)).mean()

    @torch.inference_mode()
    def scores_of(self, requests: Requests, index: np.ndarray) -> Array:
        """[R, N] for some requests; zero for an empty history."""
        rows = recent_histories(self.known, requests, index, self.settings.length)
        items = torch.from_numpy(np.where(rows >= 0, self.known.table.items[rows] + 1, 0))
        lengths = (items != 0).sum(1)
        x = self.network(items[:, : max(int(lengths.max()), 1)])
        newest = x[torch.arange(len(x)), (lengths - 1).clamp(min=0)]
        scores = newest @ self.network.items.weight[1:].T
        return (scores * (lengths > 0)[:, None]).numpy()

"""The Phoenix ranker over proposals: a score from the history, the item and its signals.

score = w . signals + depth x logit of the transformer. The straight part is solved for first, as few
examples suffice for it; the transformer learns what is left: what depends on the history and on several
signals at once. How much of it counts (`depth`) is chosen on the validation.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor, nn

from ranking.benchmarking.fitting import fit, seeded
from ranking.benchmarking.known import Known
from ranking.benchmarking.linear import MASKED, Form, softmax_loss, solve
from ranking.benchmarking.proposals import Proposals
from ranking.benchmarking.towers import Sizes, config_for, context
from ranking.phoenix.batch import Candidates, TrainableTables
from ranking.phoenix.recsys_model import PhoenixRanker
from ranking.training.presets import TrainingSettings
from ranking.types import Floats

SCORED_AT_ONCE = 64


class WideRanker(nn.Module):
    """PhoenixRanker beside a linear part over the signals."""

    def __init__(self, known: Known, names: Sequence[str], sizes: Sizes, weights: Floats) -> None:
        super().__init__()
        self.config = config_for(known, "ranker", sizes, tuple(names))
        self.phoenix = PhoenixRanker(self.config)
        nn.init.zeros_(self.phoenix.action_head)
        self.depth = 1.0
        self.register_buffer("wide", torch.from_numpy(weights))

    def forward(self, known: Known, block: Proposals, tables: TrainableTables) -> Tensor:
        """Scores [R, K]; padding is masked."""
        signals = torch.from_numpy(block.signals)
        items = torch.from_numpy(block.items + 1)
        scores = signals @ self.wide
        if self.depth:
            at = torch.from_numpy(block.at[:, None].astype(np.int64)).expand(items.shape)
            candidates = Candidates(
                post_ids=items,
                author_ids=torch.zeros_like(items),
                surface=torch.zeros_like(items),
                impression_seconds=at,
                creation_seconds=torch.from_numpy(block.created.astype(np.int64)),
                features=signals,
            )
            read = context(known, block.history, block.users)
            scores = scores + self.depth * self.phoenix(read, candidates, tables).logits[..., 0]
        return scores.masked_fill(items == 0, MASKED)


class Ranker:
    """Trained on proposals with targets; at depth 0 only solved for."""

    def __init__(
        self,
        known: Known,
        names: Sequence[str],
        examples: Proposals,
        form: Form,
        settings: TrainingSettings,
        sizes: Sizes,
        *,
        depth: float = 1.0,
        quiet: bool = False,
    ) -> None:
        seeded(settings.seed)
        self.known = known
        self.model = WideRanker(known, names, sizes, solve(examples, names, form))
        self.tables = TrainableTables(self.model.config, item_dropout=settings.item_dropout)
        if depth:
            fit(
                self.model,
                self.tables,
                lambda chosen: self._loss(examples.take(chosen)),
                len(examples),
                settings,
                label="ranker",
                quiet=quiet,
            )
        self.model.depth = depth

    def _loss(self, block: Proposals) -> Tensor:
        return softmax_loss(self.model(self.known, block, self.tables), block)

    @torch.inference_mode()
    def scores(self, proposals: Proposals) -> Floats:
        """[R, K]."""
        starts = range(0, len(proposals), SCORED_AT_ONCE)
        blocks = [np.arange(start, min(start + SCORED_AT_ONCE, len(proposals))) for start in starts]
        parts = [self.model(self.known, proposals.take(block), self.tables) for block in blocks]
        return torch.cat(parts).numpy()

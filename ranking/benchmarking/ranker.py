"""The Phoenix ranker over proposals: a score from the history, the item and its signals.

score = w . signals + depth x logit of the transformer. The straight part is solved for first, as few
examples suffice for it; the transformer learns what is left: what depends on the history and on several
signals at once. How much of it counts (`depth`) is chosen on the validation.
"""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ranking.benchmarking.fitting import fit, seeded
from ranking.benchmarking.known import Known
from ranking.benchmarking.proposals import Proposals
from ranking.benchmarking.towers import Sizes, config_for, context
from ranking.phoenix.batch import Candidates, TrainableTables
from ranking.phoenix.recsys_model import PhoenixRanker
from ranking.training.presets import TrainingSettings
from ranking.types import Floats

SCORED_AT_ONCE = 64
MASKED = -1e9
DEPTHS = (0.0, 0.5, 1.0)
# The straight part is solved on at most so many examples.
SOLVED_ON = 3_000
SOLVER_STEPS = 60
RIDGE = 1e-3
LARGEST = 8.0  # standard deviations


class WideRanker(nn.Module):
    """PhoenixRanker beside a linear part over standardised signals."""

    def __init__(self, known: Known, names: tuple[str, ...], sizes: Sizes) -> None:
        super().__init__()
        self.config = config_for(known, "ranker", sizes, names)
        self.phoenix = PhoenixRanker(self.config)
        nn.init.zeros_(self.phoenix.action_head)
        self.depth = 1.0
        for name in ("wide", "mean"):
            self.register_buffer(name, torch.zeros(len(names)))
        self.register_buffer("scale", torch.ones(len(names)))

    def solve(self, examples: Proposals) -> None:
        """Standardises the signals and solves for the linear part (conditional logit with a ridge)."""
        found = examples.signals[examples.items >= 0]
        self.mean.copy_(torch.from_numpy(found.mean(axis=0)))
        self.scale.copy_(torch.from_numpy(found.std(axis=0) + 1e-6))
        block = examples.take(np.arange(0, len(examples), -(-len(examples) // SOLVED_ON)))
        signals, padding = self.standardised(block), torch.from_numpy(block.items < 0)
        wide = torch.zeros(len(self.wide), requires_grad=True)
        solver = torch.optim.LBFGS([wide], max_iter=SOLVER_STEPS, history_size=20, line_search_fn="strong_wolfe")

        def closure() -> Tensor:
            solver.zero_grad()
            value = softmax_loss((signals @ wide).masked_fill(padding, MASKED), block) + RIDGE * wide.square().sum()
            value.backward()
            return value

        solver.step(closure)
        self.wide.copy_(wide.detach())

    def standardised(self, block: Proposals) -> Tensor:
        return ((torch.from_numpy(block.signals) - self.mean) / self.scale).clamp(-LARGEST, LARGEST)

    def forward(self, known: Known, block: Proposals, tables: TrainableTables) -> Tensor:
        """Scores [R, K]; padding is masked."""
        signals = self.standardised(block)
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


def softmax_loss(scores: Tensor, block: Proposals) -> Tensor:
    """Cross-entropy of the targets among the proposals of their request."""
    is_target = torch.from_numpy(block.is_target)
    return -((F.log_softmax(scores, -1) * is_target).sum(-1) / is_target.sum(-1)).mean()


class Ranker:
    """Trained on proposals with targets."""

    def __init__(
        self,
        known: Known,
        names: tuple[str, ...],
        examples: Proposals,
        settings: TrainingSettings,
        sizes: Sizes,
        *,
        quiet: bool = False,
    ) -> None:
        seeded(settings.seed)
        self.known = known
        self.model = WideRanker(known, names, sizes)
        self.tables = TrainableTables(self.model.config, item_dropout=settings.item_dropout)
        self.model.solve(examples)
        fit(
            self.model,
            self.tables,
            lambda chosen: self._loss(examples.take(chosen)),
            len(examples),
            settings,
            label="ranker",
            quiet=quiet,
        )

    def _loss(self, block: Proposals) -> Tensor:
        return softmax_loss(self.model(self.known, block, self.tables), block)

    @torch.inference_mode()
    def scores(self, proposals: Proposals) -> Floats:
        """[R, K]."""
        starts = range(0, len(proposals), SCORED_AT_ONCE)
        blocks = [np.arange(start, min(start + SCORED_AT_ONCE, len(proposals))) for start in starts]
        parts = [self.model(self.known, proposals.take(block), self.tables) for block in blocks]
        return torch.cat(parts).numpy()

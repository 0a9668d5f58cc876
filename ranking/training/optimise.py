"""What both trainers share: two optimisers, a warm-up with cosine decay, a progress bar with time left."""

from __future__ import annotations

import math
import random
import time
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor, nn
from tqdm import tqdm

from ranking.phoenix.batch import TrainableTables
from ranking.training.presets import TrainingSettings

GRADIENT_NORM = 1.0
WARM_UP = 0.05


def seed_everything(seed: int) -> np.random.Generator:
    """Seeds all generators; tiny numbers count as zero, which CPUs multiply far faster."""
    torch.set_flush_denormal(True)
    torch.sparse.check_sparse_tensor_invariants.disable()
    random.seed(seed)
    torch.manual_seed(seed)
    return np.random.default_rng(seed)


class Optimisers:
    """AdamW for the trunk; sparse Adagrad with a higher rate for the tables, whose rows are rarely hit."""

    def __init__(self, model: nn.Module, tables: TrainableTables, settings: TrainingSettings) -> None:
        matrices = [p for p in model.parameters() if p.ndim > 1]
        others = [p for p in model.parameters() if p.ndim <= 1]
        self.trunk = torch.optim.AdamW(
            [
                {"params": matrices, "weight_decay": settings.weight_decay},
                {"params": others, "weight_decay": 0.0},
            ],
            lr=settings.learning_rate,
            betas=(0.9, 0.98),
        )
        self.tables = torch.optim.Adagrad(tables.parameters(), lr=settings.table_learning_rate)
        self.base = settings.learning_rate
        self.parameters = [*matrices, *others]

    def step(self, loss: Tensor, progress: float) -> None:
        """One update; `progress` from 0 to 1 sets the learning rate."""
        for group in self.trunk.param_groups:
            group["lr"] = self.base * _schedule(progress)
        self.trunk.zero_grad(set_to_none=True)
        self.tables.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(self.parameters, GRADIENT_NORM)
        self.trunk.step()
        self.tables.step()


def _schedule(progress: float) -> float:
    if progress < WARM_UP:
        return progress / WARM_UP + 0.01
    return 0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * (progress - WARM_UP) / (1 - WARM_UP)))


@dataclass
class Progress:
    """Counts steps against the planned number and the time allowed; shows loss and time left.

    When the clock is ahead of the steps, the learning-rate schedule follows the clock, so that a slow
    machine ends its decay too; with 0 minutes only steps count, and a seed gives the same losses again.
    `losses` keeps every step's loss.
    """

    steps: int
    minutes: float
    label: str
    quiet: bool = False
    losses: list[float] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.started = time.monotonic()
        self.bar = tqdm(total=self.steps, desc=self.label, disable=self.quiet, mininterval=1.0)

    @property
    def share(self) -> float:
        """How much of the training is behind, 0 to 1."""
        done = len(self.losses) / self.steps
        if not self.minutes:
            return min(done, 1.0)
        return min(max(done, (time.monotonic() - self.started) / (60 * self.minutes)), 1.0)

    def update(self, loss: float) -> None:
        self.losses.append(loss)
        self.bar.update()
        if len(self.losses) % 20 == 0:
            self.bar.set_postfix(loss=f"{np.mean(self.losses[-50:]):.4f}")

    def until_done(self) -> Iterator[int]:
        """Epoch numbers until steps or time are used up."""
        epoch = 0
        while self.share < 1.0:
            yield epoch
            epoch += 1
        self.bar.close()

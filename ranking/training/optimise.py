"""What both trainers share: two optimisers, a warm-up with cosine decay, a progress bar with time left."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor, nn
from tqdm import tqdm

from ranking.phoenix.batch import TrainableTables
from ranking.training import distributed
from ranking.training.presets import TrainingSettings

GRADIENT_NORM = 1.0
WARM_UP = 0.05
BAR = "{desc:>9} {percentage:3.0f}% |{bar:30}| {elapsed}<{remaining}{postfix}"


@contextmanager
def tiny_as_zero() -> Iterator[None]:
    """Inside, tiny numbers count as zero, which CPUs multiply far faster. Also a decorator."""
    torch.sparse.check_sparse_tensor_invariants.disable()
    torch.set_flush_denormal(True)
    try:
        yield
    finally:
        torch.set_flush_denormal(False)


class Optimisers:
    """AdamW for the trunk; sparse Adagrad with a higher rate for the tables, whose rows are rarely hit."""

    def __init__(self, model: nn.Module, tables: TrainableTables, settings: TrainingSettings) -> None:
        learned = [p for p in model.parameters() if p.requires_grad]
        matrices = [p for p in learned if p.ndim > 1]
        others = [p for p in learned if p.ndim <= 1]
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
        self.table_parameters = list(tables.parameters())

    def step(self, loss: Tensor, progress: float) -> None:
        """One update; `progress` from 0 to 1 sets the learning rate."""
        for group in self.trunk.param_groups:
            group["lr"] = self.base * _schedule(progress)
        self.trunk.zero_grad(set_to_none=True)
        self.tables.zero_grad(set_to_none=True)
        loss.backward()
        distributed.average_gradients(self.parameters, self.table_parameters)
        nn.utils.clip_grad_norm_(self.parameters, GRADIENT_NORM)
        self.trunk.step()
        self.tables.step()

    def state(self) -> dict[str, Tensor]:
        """Moments and step counts by name."""
        tensors = {}
        for name, optimiser in self._named():
            for index, state in optimiser.state_dict()["state"].items():
                tensors |= {f"{name}.{index}.{key}": value for key, value in state.items()}
        return tensors

    def load_state(self, tensors: dict[str, Tensor]) -> None:
        """Takes over what `state` gave."""
        for name, optimiser in self._named():
            whole = optimiser.state_dict()
            for key, value in tensors.items():
                owner, index, part = key.split(".")
                if owner == name:
                    whole["state"].setdefault(int(index), {})[part] = value
            optimiser.load_state_dict(whole)

    def _named(self) -> tuple[tuple[str, torch.optim.Optimizer], ...]:
        return (("trunk", self.trunk), ("tables", self.tables))


def _schedule(progress: float) -> float:
    if progress < WARM_UP:
        return progress / WARM_UP + 0.01
    return 0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * (progress - WARM_UP) / (1 - WARM_UP)))


@dataclass
class Progress:
    """How far one trainer is; shows loss and time left.

    When the clock is ahead of the data, the learning-rate schedule follows the clock, so that a slow
    machine ends its decay too; with 0 minutes only the data count, and a seed gives the same losses
    again. `losses` keeps every step's loss.
    """

    label: str
    minutes: float
    quiet: bool = False
    seconds: float = 0.0
    share: float = 0.0
    losses: list[float] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.quiet = self.quiet or distributed.rank() > 0
        self.bar: tqdm | None = None
        self._mark = time.monotonic()

    def resume_clock(self) -> None:
        """Time from here on counts as training."""
        self._mark = time.monotonic()
        if self.bar is None:
            self.bar = tqdm(
                total=1.0, desc=self.label, disable=self.quiet, mininterval=1.0, bar_format=BAR, initial=self.share
            )

    def update(self, loss: float, done: float) -> None:
        """After a step: its loss, and the share of the data behind."""
        now = time.monotonic()
        self.seconds, self._mark = self.seconds + now - self._mark, now
        self.losses.append(loss)
        by_clock = self.seconds / (60 * self.minutes) if self.minutes else 0.0
        share = min(distributed.largest(max(done, by_clock)), 1.0)
        self._show(share - self.share)
        self.share = share
        if self.is_done:
            self.close()

    def _show(self, more: float) -> None:
        if self.bar is not None:
            self.bar.set_postfix(loss=f"{np.mean(self.losses[-50:]):.4f}", refresh=False)
            self.bar.update(more)

    def close(self) -> None:
        """Ends the bar; the next training draws it again."""
        if self.bar is not None:
            self.bar.close()
            self.bar = None

    @property
    def is_done(self) -> bool:
        return self.share >= 1.0

"""One short training in memory: batches, two optimisers, a bar with the time left."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor, nn

from ranking.phoenix.batch import TrainableTables
from ranking.training.optimise import Optimisers, Progress, tiny_as_zero
from ranking.training.presets import TrainingSettings
from ranking.types import Int64s


@tiny_as_zero()
def fit(
    model: nn.Module,
    tables: TrainableTables,
    loss: Callable[[Int64s], Tensor],
    size: int,
    settings: TrainingSettings,
    *,
    label: str,
    quiet: bool,
) -> list[float]:
    """Trains on indices 0..size in random batches until epochs or minutes are used up; losses of the steps."""
    rng = np.random.default_rng(settings.seed)
    optimisers = Optimisers(model, tables, settings)
    progress = Progress(label, settings.minutes, quiet)
    batches = -(-size // settings.batch_requests)
    model.train()
    tables.train()
    for step in range(settings.epochs * batches):
        if step % batches == 0:
            parts = np.array_split(rng.permutation(size), batches)
        value = loss(parts[step % batches])
        optimisers.step(value, progress.share)
        progress.update(float(value.detach()), (step + 1) / (settings.epochs * batches))
        if progress.is_done:
            break
    progress.close()
    model.eval()
    tables.eval()
    return progress.losses


def seeded(seed: int) -> None:
    """The same first weights for the same seed."""
    torch.manual_seed(seed)

"""Trains the ranker: binary cross-entropy per head on what was shown, absolute error on dwell."""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from ranking.phoenix.batch import TrainableTables
from ranking.phoenix.config import PhoenixConfig
from ranking.phoenix.recsys_model import PhoenixRanker, RankerOutput
from ranking.training.dataset import (
    Dataset,
    Examples,
    batches,
    candidate_batch,
    context_batch,
    labels,
)
from ranking.training.optimise import Optimisers, Progress, seed_everything
from ranking.training.presets import TrainingSettings


def loss(
    output: RankerOutput,
    discrete: Tensor,
    continuous: Tensor,
    valid: Tensor,
    *,
    continuous_weight: float,
) -> Tensor:
    """Mean over posts of the summed head losses. Continuous heads count where a value is known."""
    per_head = F.binary_cross_entropy_with_logits(output.logits, discrete, reduction="none")
    known = (continuous >= 0) & valid[..., None]
    error = ((output.continuous - continuous).abs() * known).sum() / known.sum().clamp(min=1)
    return per_head.sum(-1)[valid].mean() + continuous_weight * error


def train_ranker(
    dataset: Dataset,
    examples: Examples,
    config: PhoenixConfig,
    settings: TrainingSettings,
    *,
    quiet: bool = False,
) -> tuple[PhoenixRanker, TrainableTables, list[float]]:
    """Model, tables and the loss of every step."""
    rng = seed_everything(settings.seed)
    model = PhoenixRanker(config)
    tables = TrainableTables(config, item_dropout=settings.item_dropout)
    optimisers = Optimisers(model, tables, settings)
    steps = settings.epochs * -(-len(examples) // settings.batch_requests)
    progress = Progress(max(steps, 1), settings.minutes, "ranker", quiet)
    for _ in progress.until_done():
        for block in batches(examples, size=settings.batch_requests, rng=rng):
            context = context_batch(dataset, block, config)
            output = model(context, candidate_batch(dataset, block), tables)
            discrete, continuous = labels(block, config)
            value = loss(
                output,
                discrete,
                continuous,
                torch.from_numpy(block.valid),
                continuous_weight=settings.continuous_weight,
            )
            optimisers.step(value, progress.share)
            progress.update(float(value.detach()))
            if progress.share >= 1.0:
                break
    return model.eval(), tables.eval(), progress.losses


@torch.inference_mode()
def predict(
    model: PhoenixRanker, tables: TrainableTables, dataset: Dataset, examples: Examples, *, size: int = 128
) -> tuple[np.ndarray, np.ndarray]:
    """Logits [R, C, A] and continuous predictions [R, C, K]."""
    logits, continuous = [], []
    for block in batches(examples, size=size):
        context = context_batch(dataset, block, model.config)
        output = model(context, candidate_batch(dataset, block), tables)
        logits.append(output.logits.numpy())
        continuous.append(output.continuous.numpy())
    return np.concatenate(logits), np.concatenate(continuous)

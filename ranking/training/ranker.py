"""Trains the ranker: binary cross-entropy per head on what was shown, absolute error on dwell."""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from ranking.heads import multi_hot
from ranking.phoenix.actions import NEGATIVE_FEEDBACK
from ranking.phoenix.batch import Tables, TrainableTables
from ranking.phoenix.config import PhoenixConfig
from ranking.phoenix.recsys_model import PhoenixRanker, RankerOutput
from ranking.training import distributed
from ranking.training.batching import Targets, candidate_batch, context_batch, moved, shuffled, targets
from ranking.training.dataset import Dataset, Examples
from ranking.training.loop import Fit
from ranking.training.optimise import Optimisers
from ranking.training.presets import TrainingSettings
from ranking.types import Int64s

# The head matrix begins small, so that the first predictions are the base rates.
HEAD_SCALE = 0.1
RATE_PRIOR = 1e-5
# Complaints are a thousandth of what people do and weigh most in what a post is worth. Counted like all else, they
# would have no say in what the trunk learns.
COMPLAINTS_COUNT = 8.0


def loss(output: RankerOutput, wanted: Targets, counts: Tensor, *, continuous_weight: float) -> Tensor:
    """Mean over posts of the head losses, masked, summed with the `counts` [A]. Continuous heads count where known."""
    per_head = counts * F.binary_cross_entropy_with_logits(output.logits, wanted.discrete, reduction="none")
    posts = wanted.mask.any(-1).sum().clamp(min=1)
    known = wanted.continuous >= 0
    error = ((output.continuous - wanted.continuous).abs() * known).sum() / known.sum().clamp(min=1)
    return (per_head * wanted.mask).sum() / posts + continuous_weight * error


def head_counts(config: PhoenixConfig) -> Tensor:
    """How much each head's loss counts, [A]."""
    is_complaint = np.isin(config.action_names, NEGATIVE_FEEDBACK)
    return torch.from_numpy(np.where(is_complaint, COMPLAINTS_COUNT, 1.0).astype(np.float32))


def base_rate_logits(examples: Examples, config: PhoenixConfig) -> Tensor:
    """Log-odds of each head over the posts shown, [A]."""
    rates = multi_hot(examples.label_bits[examples.valid], config.action_names).mean(axis=0)
    return torch.from_numpy(np.log((rates + RATE_PRIOR) / (1 - rates))).float()


class RankerTrainer:
    """A ranker in training. A model given at the start goes on from where it was."""

    kind = "ranker"

    def __init__(self, config: PhoenixConfig, settings: TrainingSettings) -> None:
        torch.manual_seed(settings.seed)
        self.config = config
        self.settings = settings
        self.device = distributed.device()
        self.model = PhoenixRanker(config).to(self.device)
        self.counts = head_counts(config).to(self.device)
        self.tables = TrainableTables(config, item_dropout=settings.item_dropout)
        self.optimisers = Optimisers(self.model, self.tables, settings)
        self._is_fresh = True

    def begin(self, dataset: Dataset, examples: Examples, seed: tuple[int, ...]) -> list[Int64s]:
        self._dataset, self._examples = dataset, examples
        if self._is_fresh and self.config.content_match:
            self.model.content_match.fit(torch.from_numpy(dataset.posts.content))
        if self._is_fresh and self.config.head_bias and len(examples):
            with torch.no_grad():
                self.model.action_bias.copy_(base_rate_logits(examples, self.config))
                self.model.action_head.mul_(HEAD_SCALE)
        self._is_fresh = False
        size, history = self.settings.batch_requests, self.config.history_seq_len
        return shuffled(examples, size=size, history=history, seed=seed)

    def loss(self, batch: Int64s, rng: np.random.Generator) -> Tensor:
        block = self._examples.take(batch).trimmed()
        context = moved(context_batch(self._dataset, block, self.config), self.device)
        candidates = moved(candidate_batch(self._dataset, block), self.device)
        output = self.model(context, candidates, self.tables)
        wanted = moved(targets(block, self.config), self.device)
        return loss(output, wanted, self.counts, continuous_weight=self.settings.continuous_weight)

    def end(self) -> None:
        del self._dataset, self._examples

    def state(self) -> dict[str, Tensor]:
        return {
            **{f"model/{name}": tensor for name, tensor in self.model.state_dict().items()},
            **{f"tables/{name}": tensor for name, tensor in self.tables.state_dict().items()},
            **{f"optimiser/{name}": tensor for name, tensor in self.optimisers.state().items()},
        }

    def load_state(self, tensors: dict[str, Tensor]) -> None:
        load_parts(self.model, self.tables, self.optimisers, tensors)
        self._is_fresh = False


def load_parts(
    model: torch.nn.Module, tables: TrainableTables, optimisers: Optimisers, tensors: dict[str, Tensor]
) -> None:
    """Gives model, tables and optimisers their tensors back."""
    parts: dict[str, dict[str, Tensor]] = {"model": {}, "tables": {}, "optimiser": {}}
    for name, tensor in tensors.items():
        owner, _, rest = name.partition("/")
        if owner in parts:
            parts[owner][rest] = tensor
    model.load_state_dict(parts["model"])
    tables.load_state_dict(parts["tables"])
    optimisers.load_state(parts["optimiser"])


def train_ranker(
    dataset: Dataset,
    examples: Examples,
    config: PhoenixConfig,
    settings: TrainingSettings,
    *,
    quiet: bool = False,
) -> tuple[PhoenixRanker, TrainableTables, list[float]]:
    """Model, tables and the loss of every step, trained on examples in memory."""
    trainer = RankerTrainer(config, settings)
    losses = Fit([trainer], [(dataset, examples)], settings, quiet=quiet).run()
    return trainer.model.eval(), trainer.tables.eval(), losses["ranker"]


@torch.inference_mode()
def predict(
    model: PhoenixRanker, tables: Tables, dataset: Dataset, examples: Examples, *, size: int = 128
) -> tuple[np.ndarray, np.ndarray]:
    """Logits [R, C, A] and continuous predictions [R, C, K]; zero for padding."""
    config = model.config
    shape = examples.posts.shape
    logits = np.zeros((*shape, config.num_actions), dtype=np.float32)
    continuous = np.zeros((*shape, config.num_continuous), dtype=np.float32)
    device = next(model.parameters()).device
    for batch in shuffled(examples, size=size, history=config.history_seq_len, seed=(0,)):
        block = examples.take(batch).trimmed()
        context = moved(context_batch(dataset, block, config), device)
        output = model(context, moved(candidate_batch(dataset, block), device), tables)
        width = block.posts.shape[1]
        logits[batch, :width] = output.logits.cpu().numpy()
        continuous[batch, :width] = output.continuous.cpu().numpy()
    return logits, continuous

"""The training loop: epochs of shards of batches, for one or both models, that can be killed and resumed.

The randomness of a step depends on the seed and the step's place alone (never on what was drawn before),
so a checkpoint holds weights, optimisers and the place, and a resumed run goes on with the same losses.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor, nn

from ranking.phoenix.batch import TrainableTables
from ranking.training import distributed
from ranking.training.dataset import Dataset, Examples
from ranking.training.optimise import Optimisers, Progress, tiny_as_zero
from ranking.training.presets import TrainingSettings
from ranking.training.state import StateFile
from ranking.types import Int64s

Shard = tuple[Dataset, Examples]


class Trainer(Protocol):
    """One model in training."""

    kind: str
    model: nn.Module
    tables: TrainableTables
    optimisers: Optimisers

    def begin(self, dataset: Dataset, examples: Examples, seed: tuple[int, ...]) -> list[Int64s]:
        """Takes a shard; returns its batches."""

    def loss(self, batch: Int64s, rng: np.random.Generator) -> Tensor:
        """Loss of one batch."""

    def end(self) -> None:
        """Lets go of the shard, so that the next one is read into free memory."""

    def state(self) -> dict[str, Tensor]:
        """All that changes in training, by name."""

    def load_state(self, tensors: dict[str, Tensor]) -> None:
        """Takes over what `state` gave."""


@dataclass
class Place:
    """The next batch to train on."""

    epoch: int = 0
    shard: int = 0
    trainer: int = 0
    batch: int = 0

    def is_before(self, epoch: int, shard: int, trainer: int) -> bool:
        return (self.epoch, self.shard, self.trainer) < (epoch, shard, trainer)


@dataclass
class Fit:
    """Trains the given models over the shards; `progress` has the losses by kind of model."""

    trainers: Sequence[Trainer]
    shards: Sequence[Shard]
    settings: TrainingSettings
    minutes: dict[str, float] = field(default_factory=dict)
    state: StateFile | None = None
    quiet: bool = False

    def __post_init__(self) -> None:
        self.place = Place()
        self.progress: dict[str, Progress] = {}
        self._steps = 0

    @tiny_as_zero()
    def run(self, *, resume: bool = False) -> dict[str, list[float]]:
        """Losses of every step by kind."""
        seen = self._restore() if resume and self.state else {}
        for trainer in self.trainers:
            minutes = self.minutes.get(trainer.kind, self.settings.minutes)
            self.progress[trainer.kind] = Progress(trainer.kind, minutes, self.quiet, **seen.get(trainer.kind, {}))
        for epoch in range(self.place.epoch, self.settings.epochs):
            for number in range(self.place.shard if epoch == self.place.epoch else 0, len(self.shards)):
                if all(progress.is_done for progress in self.progress.values()):
                    break
                self._shard(epoch, number)
        return {kind: progress.losses for kind, progress in self.progress.items()}

    def _shard(self, epoch: int, number: int) -> None:
        dataset, examples = self.shards[number]
        for turn, trainer in enumerate(self.trainers):
            if (epoch, number, turn) >= (self.place.epoch, self.place.shard, self.place.trainer):
                self._turn(trainer, dataset, examples, epoch, number, turn)

    def _turn(self, trainer: Trainer, dataset: Dataset, examples: Examples, epoch: int, number: int, turn: int) -> None:
        progress = self.progress[trainer.kind]
        if progress.is_done:
            return
        is_resumed = (epoch, number, turn) == (self.place.epoch, self.place.shard, self.place.trainer)
        first = self.place.batch if is_resumed else 0
        seed = (self.settings.seed, epoch, number, turn)
        world, rank = distributed.world_size(), distributed.rank()
        batches = trainer.begin(dataset, examples, seed)
        batches = batches[: len(batches) // world * world][rank::world]
        trainer.model.train()
        trainer.tables.train()
        progress.resume_clock()
        for index in range(first, len(batches)):
            rng = np.random.default_rng((*seed, index, rank))
            torch.manual_seed(int(rng.integers(1 << 62)))
            value = trainer.loss(batches[index], rng)
            trainer.optimisers.step(value, progress.share)
            behind = epoch + (number + (index + 1) / len(batches)) / len(self.shards)
            progress.update(distributed.mean(float(value.detach())), behind / self.settings.epochs)
            self.place = Place(epoch, number, turn, index + 1)
            self._keep()
            if progress.is_done:
                break
        progress.close()
        trainer.end()

    def _keep(self) -> None:
        self._steps += 1
        if self.state is None or self._steps % self.settings.checkpoint_steps:
            return
        if distributed.rank() == 0:
            self.state.save(self._tensors(), self._facts())
        distributed.barrier()

    def _tensors(self) -> dict[str, Tensor]:
        return {f"{t.kind}/{name}": tensor for t in self.trainers for name, tensor in t.state().items()}

    def _facts(self) -> dict[str, Any]:
        progress = {
            kind: {"seconds": p.seconds, "share": p.share, "losses": p.losses} for kind, p in self.progress.items()
        }
        return {"place": vars(self.place), "progress": progress}

    def _restore(self) -> dict[str, dict[str, Any]]:
        assert self.state is not None
        tensors, facts = self.state.load()
        for trainer in self.trainers:
            prefix = f"{trainer.kind}/"
            trainer.load_state({k.removeprefix(prefix): v for k, v in tensors.items() if k.startswith(prefix)})
        self.place = Place(**facts["place"])
        return facts["progress"]

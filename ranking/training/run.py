"""One training run: train both models, or one, on a period, judge them on the one that follows, register them."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from django.conf import settings as site

from ranking import registry
from ranking.heads import multi_hot
from ranking.models import ModelVersion
from ranking.phoenix.config import PhoenixConfig
from ranking.phoenix.subjects import Subjects, subjects_of
from ranking.serving import checkpoint as checkpoints
from ranking.serving.calibration import Calibration
from ranking.training import calibrate, distributed, logs
from ranking.training.dataset import Dataset, Examples, build
from ranking.training.evaluate import Oracle, evaluate
from ranking.training.logs import Period
from ranking.training.loop import Fit, Shard
from ranking.training.presets import TrainingSettings, xsocial_config
from ranking.training.ranker import RankerTrainer, predict
from ranking.training.retrieval import RetrievalTrainer, recall
from ranking.training.state import StateFile, only_one
from ranking.training.tastes import opinions
from ranking.types import Floats
from xsocial.kernel import ids
from xsocial.kernel.errors import Unavailable

MIN_IMPRESSIONS = 1000
# Share of the time allowed that the ranker gets; the rest is for retrieval.
SHARES = {ModelVersion.Kind.RANKER: 0.7, ModelVersion.Kind.RETRIEVAL: 0.3}
KINDS = tuple(ModelVersion.Kind.values)
TRAINERS = {trainer.kind: trainer for trainer in (RankerTrainer, RetrievalTrainer)}


@dataclass(frozen=True)
class Plan:
    """What a run does; kept with its state, so that a resumed run does the same."""

    settings: TrainingSettings
    trained: Period
    held_out: Period
    configs: dict[str, dict[str, Any]]
    parents: dict[str, str]

    @property
    def kinds(self) -> tuple[str, ...]:
        """What is trained."""
        return tuple(self.configs)

    def to_dict(self) -> dict[str, Any]:
        return dataclasses.asdict(self)

    @classmethod
    def from_dict(cls, raw: dict[str, Any]) -> Plan:
        return cls(
            TrainingSettings(**raw["settings"]),
            Period(**raw["trained"]),
            Period(**raw["held_out"]),
            raw["configs"],
            raw["parents"],
        )


@dataclass(frozen=True)
class Trained:
    """The versions of one run by kind, and the page loads that followed their training period."""

    versions: dict[str, ModelVersion]
    held_out: Dataset


def plan(
    settings: TrainingSettings,
    *,
    asked: Period | None = None,
    kinds: Sequence[str] = KINDS,
    parents: dict[str, str] | None = None,
) -> Plan:
    """A run of some kinds over a period (default: everything so far), going on from the named versions if any.

    Raises Unavailable when too little was recorded.
    """
    asked = asked or logs.period()
    count = logs.count(asked)
    if count < MIN_IMPRESSIONS:
        raise Unavailable(f"Only {count} impressions were recorded; training needs {MIN_IMPRESSIONS}.")
    return Plan(
        settings,
        *logs.cut(asked, settings.held_out),
        {kind: xsocial_config(kind).to_dict() for kind in kinds},
        parents or {},
    )


class StoredShards(Sequence[Shard]):
    """The training period, read from the database shard by shard, each only while it is trained on.

    Of the last one a random share is set apart for calibration, and kept. A fresh ranker's subjects are found in
    the first one read.
    """

    def __init__(
        self,
        periods: list[Period],
        feature_names: Sequence[str],
        subjects: Subjects | None,
        settings: TrainingSettings,
    ) -> None:
        self.periods, self.feature_names, self.subjects, self.settings = periods, feature_names, subjects, settings
        self.apart: Shard | None = None
        self._open: tuple[int, Shard] | None = None

    def __len__(self) -> int:
        return len(self.periods)

    def __getitem__(self, number: int) -> Shard:  # type: ignore[override]
        if self._open is None or self._open[0] != number:
            self._open = None  # frees the former one before the next is read
            self._open = number, self._read(number)
        return self._open[1]

    def set_apart(self) -> Shard:
        """The examples for calibration."""
        if self.apart is None:
            self._open = None
            self._read(len(self) - 1)
        assert self.apart is not None
        return self.apart

    def _read(self, number: int) -> Shard:
        asked, settings = self.periods[number], self.settings
        read = logs.read(since_ms=asked.since_ms, until_ms=asked.until_ms)
        if self.subjects and not self.subjects.is_found:
            self.subjects.find(read.posts.content, read.posts.author_ids, opinions(read))
        dataset = build(
            read,
            feature_names=self.feature_names,
            subjects=self.subjects,
            sampled_negatives=settings.sampled_negatives,
            seed=settings.seed,
        )
        if number < len(self) - 1:
            return dataset, dataset.examples
        rng = np.random.default_rng(settings.seed + 1)
        apart = rng.random(len(dataset.examples)) < settings.calibration
        self.apart = dataset, dataset.examples.take(apart)
        return dataset, dataset.examples.take(~apart)


def folder() -> Path:
    """Where runs keep their state."""
    return Path(site.DATA_DIR) / "training"


def run(wanted: Plan, *, resume: bool = False, quiet: bool = False) -> Trained | None:
    """Trains, judges and registers both models as candidates. None in the helpers of a `torchrun`.

    Raises Conflict while another run of one of these kinds is going on.
    """
    with distributed.joined():
        wanted = distributed.from_first(wanted)  # each process has planned for itself, at a moment of its own
        if distributed.rank():
            _train(wanted, resume=resume, quiet=True)
            return None
        with only_one(folder(), wanted.kinds):
            return _train(wanted, resume=resume, quiet=quiet)


def unfinished(kinds: Sequence[str] = KINDS) -> Plan:
    """The plan of the run of these kinds that was broken off; raises NotFound."""
    state = _state(kinds)
    state.load()
    return Plan.from_dict(state.about)


def _state(kinds: Sequence[str]) -> StateFile:
    return StateFile(folder() / f"{'-'.join(kinds)}.safetensors")


def _train(wanted: Plan, *, resume: bool, quiet: bool) -> Trained | None:
    settings, started = wanted.settings, time.monotonic()
    trainers = [TRAINERS[kind](PhoenixConfig.from_dict(raw), settings) for kind, raw in wanted.configs.items()]
    for trainer in trainers:
        if trainer.kind in wanted.parents and not resume:
            trainer.load_state(registry.training_state(registry.by_name(wanted.parents[trainer.kind])))
    feature_names = trainers[0].config.candidate_feature_names  # none of retrieval
    periods = logs.shards(wanted.trained, settings.shard_impressions)
    shards = StoredShards(periods, feature_names, subjects_of(trainers[0].model), settings)
    state = _state(wanted.kinds)
    state.about = wanted.to_dict()
    whole = sum(SHARES[kind] for kind in wanted.kinds)
    minutes = {kind: settings.minutes * SHARES[kind] / whole for kind in wanted.kinds}
    losses = Fit(trainers, shards, settings, minutes, state, quiet).run(resume=resume)
    if distributed.rank():
        return None
    seconds = time.monotonic() - started
    facts = {trainer.kind: _facts(wanted, trainer.kind, losses[trainer.kind], seconds) for trainer in trainers}
    trained = _register(wanted, trainers, shards, facts)
    state.remove()
    return trained


def _register(
    wanted: Plan,
    trainers: Sequence[RankerTrainer | RetrievalTrainer],
    shards: StoredShards,
    facts: dict[str, dict[str, Any]],
) -> Trained:
    apart = shards.set_apart()
    period = wanted.held_out
    later = build(
        logs.read(since_ms=period.since_ms, until_ms=period.until_ms),
        feature_names=shards.feature_names,
        subjects=shards.subjects,
    )
    judged = some(later.examples, wanted.settings.judged_requests)
    versions = {}
    for trainer in trainers:
        model, tables = trainer.model.cpu().eval(), trainer.tables.eval()
        model.config = model.config.replace(item_ids_below=ids.id_at(wanted.trained.until_ms))
        training = facts[trainer.kind]
        if isinstance(trainer, RankerTrainer):
            calibration, training["calibration_methods"] = _calibration(trainer, *apart)
            made = checkpoints.in_memory(model, tables, calibration)
            metrics = figures_of(made, later, judged)
        else:
            made = checkpoints.in_memory(model, tables)
            metrics = recall(made.model, made.tables, later, judged)
        parent = wanted.parents.get(trainer.kind)
        versions[trainer.kind] = registry.register(
            made, training=training, metrics=metrics, parent=parent, state=trainer.state()
        )
    return Trained(versions, later)


def _calibration(trainer: RankerTrainer, dataset: Dataset, examples: Examples) -> tuple[Calibration, dict[str, str]]:
    """Fitted on examples set apart, and the method chosen for each head."""
    logits, _ = predict(trainer.model, trainer.tables, dataset, examples)
    names, shown = trainer.config.action_names, examples.valid
    labels = multi_hot(examples.label_bits, names)
    calibration, methods = calibrate.fit(torch.from_numpy(logits[shown]), torch.from_numpy(labels[shown]))
    return calibration, dict(zip(names, methods, strict=True))


def some(examples: Examples, count: int, seed: int = 0) -> Examples:
    """At most so many requests, drawn at random, in order of time."""
    if len(examples) <= count:
        return examples
    drawn = np.random.default_rng(seed).choice(len(examples), count, replace=False)
    return examples.take(np.sort(drawn))


def _facts(wanted: Plan, kind: str, losses: list[float], seconds: float) -> dict[str, Any]:
    return {
        **dataclasses.asdict(wanted.settings),
        "from_ms": wanted.trained.since_ms,
        "until_ms": wanted.trained.until_ms,
        "steps": len(losses),
        "first_loss": float(np.mean(losses[:20])) if losses else None,
        "last_loss": float(np.mean(losses[-50:])) if losses else None,
        "loss_curve": curve(losses),
        "seconds": round(seconds, 1),
        "processes": distributed.world_size(),
    }


def curve(losses: list[float], points: int = 200) -> list[float]:
    """Means of at most so many equal stretches of a training's losses."""
    return [float(part.mean()) for part in np.array_split(np.array(losses), min(points, len(losses)) or 1) if len(part)]


def figures_of(
    checkpoint: checkpoints.Checkpoint,
    dataset: Dataset,
    examples: Examples,
    oracle: Oracle | None = None,
) -> dict[str, Any]:
    """Figures of a ranker on some requests."""
    config = checkpoint.model.config
    as_asked = examples.as_asked(config.candidate_feature_names)
    return evaluate(
        examples,
        probabilities(checkpoint, dataset, examples),
        probabilities(checkpoint, dataset, as_asked),
        config,
        oracle,
    )


def probabilities(checkpoint: checkpoints.Checkpoint, dataset: Dataset, examples: Examples) -> Floats:
    """Calibrated probabilities [R, C, A]."""
    logits, _ = predict(checkpoint.model, checkpoint.tables, dataset, examples)
    return checkpoint.calibrated(torch.from_numpy(logits)).sigmoid().numpy()

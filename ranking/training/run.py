"""One training run: train both models on a period, judge them on the one that follows, register them."""

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
from ranking.serving import checkpoint as checkpoints
from ranking.training import calibrate, distributed, logs
from ranking.training.dataset import Dataset, Examples, build
from ranking.training.evaluate import Oracle, evaluate
from ranking.training.logs import Period
from ranking.training.loop import Fit, Shard
from ranking.training.presets import TrainingSettings, xsocial_config
from ranking.training.ranker import RankerTrainer, predict
from ranking.training.retrieval import RetrievalTrainer, recall
from ranking.training.state import StateFile, only_one
from ranking.types import Floats
from xsocial.kernel import ids
from xsocial.kernel.errors import Unavailable

MIN_IMPRESSIONS = 1000
# Share of the time allowed that the ranker gets; the rest is for retrieval.
SHARES = {ModelVersion.Kind.RANKER: 0.7, ModelVersion.Kind.RETRIEVAL: 0.3}
KINDS = tuple(ModelVersion.Kind.values)


@dataclass(frozen=True)
class Plan:
    """What a run does; kept with its state, so that a resumed run does the same."""

    settings: TrainingSettings
    trained: Period
    held_out: Period
    configs: dict[str, dict[str, Any]]
    parents: dict[str, str]

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
    """The two versions of one run, and the page loads that followed their training period."""

    ranker: ModelVersion
    retrieval: ModelVersion
    held_out: Dataset


def plan(
    settings: TrainingSettings,
    *,
    asked: Period | None = None,
    configs: dict[str, PhoenixConfig] | None = None,
    parents: dict[str, str] | None = None,
) -> Plan:
    """A run over a period (default: everything so far), going on from the named versions if any.

    Raises Unavailable when too little was recorded.
    """
    asked = asked or logs.period()
    count = logs.count(asked)
    if count < MIN_IMPRESSIONS:
        raise Unavailable(f"Only {count} impressions were recorded; training needs {MIN_IMPRESSIONS}.")
    configs = configs or {kind: xsocial_config(kind) for kind in KINDS}
    return Plan(
        settings,
        *logs.cut(asked, settings.held_out),
        {kind: config.to_dict() for kind, config in configs.items()},
        parents or {},
    )


class StoredShards(Sequence[Shard]):
    """The training period, read from the database shard by shard, each only while it is trained on.

    Of the last one a random share is set apart for calibration, and kept.
    """

    def __init__(self, periods: list[Period], feature_names: Sequence[str], settings: TrainingSettings) -> None:
        self.periods, self.feature_names, self.settings = periods, feature_names, settings
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
        dataset = build(
            logs.read(since_ms=asked.since_ms, until_ms=asked.until_ms),
            feature_names=self.feature_names,
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

    Raises Conflict while another run is going on.
    """
    with distributed.joined():
        wanted = distributed.from_first(wanted)  # each process has planned for itself, at a moment of its own
        if distributed.rank():
            _train(wanted, resume=resume, quiet=True)
            return None
        with only_one(folder()):
            return _train(wanted, resume=resume, quiet=quiet)


def unfinished() -> Plan:
    """The plan of the run that was broken off; raises NotFound."""
    state = _state()
    state.load()
    return Plan.from_dict(state.about)


def _state() -> StateFile:
    return StateFile(folder() / "state.safetensors")


def _train(wanted: Plan, *, resume: bool, quiet: bool) -> Trained | None:
    settings, started = wanted.settings, time.monotonic()
    configs = {kind: PhoenixConfig.from_dict(raw) for kind, raw in wanted.configs.items()}
    trainers = (RankerTrainer(configs["ranker"], settings), RetrievalTrainer(configs["retrieval"], settings))
    for trainer in trainers:
        if trainer.kind in wanted.parents and not resume:
            trainer.load_state(registry.training_state(registry.by_name(wanted.parents[trainer.kind])))
    shards = StoredShards(
        logs.shards(wanted.trained, settings.shard_impressions), configs["ranker"].candidate_feature_names, settings
    )
    state = _state()
    state.about = wanted.to_dict()
    minutes = {kind: share * settings.minutes for kind, share in SHARES.items()}
    losses = Fit(trainers, shards, settings, minutes, state, quiet).run(resume=resume)
    if distributed.rank():
        return None
    facts = {kind: _facts(wanted, kind, losses[kind], time.monotonic() - started) for kind in KINDS}
    trained = _register(wanted, trainers, shards, facts)
    state.remove()
    return trained


def _register(
    wanted: Plan,
    trainers: tuple[RankerTrainer, RetrievalTrainer],
    shards: StoredShards,
    facts: dict[str, dict[str, Any]],
) -> Trained:
    ranker, retrieval = (trainer.model.cpu().eval() for trainer in trainers)
    for model in (ranker, retrieval):
        model.config = model.config.replace(item_ids_below=ids.id_at(wanted.trained.until_ms))
    apart, examples = shards.set_apart()
    logits, _ = predict(ranker, trainers[0].tables.eval(), apart, examples)
    labels = multi_hot(examples.label_bits, ranker.config.action_names)
    shown = examples.valid
    calibration, methods = calibrate.fit(torch.from_numpy(logits[shown]), torch.from_numpy(labels[shown]))
    checkpoint = checkpoints.in_memory(ranker, trainers[0].tables, calibration)
    facts["ranker"]["calibration_methods"] = dict(zip(ranker.config.action_names, methods, strict=True))
    towers = checkpoints.in_memory(retrieval, trainers[1].tables.eval())
    period = wanted.held_out
    later = build(logs.read(since_ms=period.since_ms, until_ms=period.until_ms), feature_names=shards.feature_names)
    judged = some(later.examples, wanted.settings.judged_requests)
    measured = {
        "ranker": figures_of(checkpoint, later, judged),
        "retrieval": recall(towers.model, towers.tables, later, judged),
    }
    versions = [
        registry.register(
            made,
            training=facts[trainer.kind],
            metrics=measured[trainer.kind],
            parent=wanted.parents.get(trainer.kind),
            state=trainer.state(),
        )
        for trainer, made in zip(trainers, (checkpoint, towers), strict=True)
    ]
    return Trained(versions[0], versions[1], later)


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

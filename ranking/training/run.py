"""One training run: read the logs, train both models, judge them on the later period, register them."""

from __future__ import annotations

import dataclasses
import time
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from ranking import registry
from ranking.heads import multi_hot
from ranking.models import ModelVersion
from ranking.phoenix.config import PhoenixConfig
from ranking.serving import checkpoint as checkpoints
from ranking.training import calibrate
from ranking.training.dataset import Dataset, Examples, build
from ranking.training.evaluate import Oracle, calibrated, evaluate
from ranking.training.logs import Logs
from ranking.training.presets import TrainingSettings, xsocial_config
from ranking.training.ranker import predict, train_ranker
from ranking.training.retrieval import recall, train_retrieval
from xsocial.kernel.errors import Unavailable

MIN_REQUESTS = 50
# Share of the time allowed that the ranker gets; the rest is for retrieval.
RANKER_SHARE = 0.7


@dataclass(frozen=True)
class Trained:
    """The two versions of one run."""

    ranker: ModelVersion
    retrieval: ModelVersion


def _calibration_split(examples: Examples, settings: TrainingSettings) -> tuple[Examples, Examples]:
    """A random share of the training period is set apart for calibration."""
    rng = np.random.default_rng(settings.seed + 1)
    apart = rng.random(len(examples)) < settings.calibration
    return examples.take(~apart), examples.take(apart)


def _facts(
    dataset: Dataset, train: Examples, settings: TrainingSettings, started: float, losses: list[float]
) -> dict[str, Any]:
    return {
        **dataclasses.asdict(settings),
        "requests": len(train),
        "impressions": int(train.valid.sum()),
        "posts": len(dataset.posts),
        "from_ms": int(train.at_ms.min()),
        "until_ms": int(train.at_ms.max()),
        "steps": len(losses),
        "first_loss": float(np.mean(losses[:20])),
        "last_loss": float(np.mean(losses[-50:])),
        "seconds": round(time.monotonic() - started, 1),
    }


def fit_ranker(
    dataset: Dataset,
    *,
    config: PhoenixConfig,
    settings: TrainingSettings,
    quiet: bool = False,
) -> tuple[checkpoints.Checkpoint, dict[str, Any], dict[str, Any]]:
    """A calibrated ranker, the facts of its training and its figures on the held-out period."""
    started = time.monotonic()
    seen, later = dataset.split(settings.held_out)
    train, apart = _calibration_split(seen, settings)
    model, tables, losses = train_ranker(dataset, train, config, settings, quiet=quiet)
    logits, _ = predict(model, tables, dataset, apart)
    labels = multi_hot(apart.label_bits, config.action_names)
    scale, shift = calibrate.fit(torch.from_numpy(logits[apart.valid]), torch.from_numpy(labels[apart.valid]))
    facts = _facts(dataset, train, settings, started, losses)
    checkpoint = checkpoints.in_memory(model, tables, (scale, shift))
    return checkpoint, facts, figures_of(checkpoint, dataset, later)


def fit_retrieval(
    dataset: Dataset,
    *,
    config: PhoenixConfig,
    settings: TrainingSettings,
    quiet: bool = False,
) -> tuple[checkpoints.Checkpoint, dict[str, Any], dict[str, Any]]:
    """Two towers, the facts of their training and their recall on the held-out period."""
    started = time.monotonic()
    train, later = dataset.split(settings.held_out)
    model, tables, losses = train_retrieval(dataset, train, config, settings, quiet=quiet)
    facts = _facts(dataset, train, settings, started, losses)
    return checkpoints.in_memory(model, tables), facts, recall(model, tables, dataset, later)


def run(
    logs: Logs,
    *,
    settings: TrainingSettings,
    ranker_config: PhoenixConfig | None = None,
    retrieval_config: PhoenixConfig | None = None,
    quiet: bool = False,
) -> Trained:
    """Trains and registers both models as candidates; raises Unavailable when there is too little data."""
    ranker_config = ranker_config or xsocial_config("ranker")
    retrieval_config = retrieval_config or xsocial_config("retrieval")
    dataset = build(logs, feature_names=ranker_config.candidate_feature_names)
    if len(dataset.examples) < MIN_REQUESTS:
        raise Unavailable(f"Only {len(dataset.examples)} page loads were recorded; training needs {MIN_REQUESTS}.")
    settings_of = {
        "ranker": dataclasses.replace(settings, minutes=settings.minutes * RANKER_SHARE),
        "retrieval": dataclasses.replace(settings, minutes=settings.minutes * (1 - RANKER_SHARE)),
    }
    ranker = fit_ranker(dataset, config=ranker_config, settings=settings_of["ranker"], quiet=quiet)
    retrieval = fit_retrieval(dataset, config=retrieval_config, settings=settings_of["retrieval"], quiet=quiet)
    return Trained(
        registry.register(ranker[0], training=ranker[1], metrics=ranker[2]),
        registry.register(retrieval[0], training=retrieval[1], metrics=retrieval[2]),
    )


def judge(version: ModelVersion, logs: Logs, *, limit: int = 0, oracle: Oracle | None = None) -> dict[str, Any]:
    """Figures of a registered ranker on the page loads after its training period, the latest `limit`."""
    checkpoint = registry.load(version)
    config = checkpoint.model.config
    dataset = build(logs, feature_names=config.candidate_feature_names)
    examples = dataset.examples
    later = examples.take(examples.at_ms > version.training.get("until_ms", 0))
    if limit:
        later = later.take(np.arange(max(len(later) - limit, 0), len(later)))
    if not len(later):
        raise Unavailable("No page loads were recorded after the model's training period.")
    return {"model": version.name, **figures_of(checkpoint, dataset, later, oracle)}


def figures_of(
    checkpoint: checkpoints.Checkpoint,
    dataset: Dataset,
    examples: Examples,
    oracle: Oracle | None = None,
) -> dict[str, Any]:
    """Figures of a ranker on some requests."""
    config = checkpoint.model.config
    at_top = examples.at_top(config.candidate_feature_names)
    probabilities = [
        calibrated(predict(checkpoint.model, checkpoint.tables, dataset, asked)[0], checkpoint.scale, checkpoint.shift)
        for asked in (examples, at_top)
    ]
    return evaluate(examples, *probabilities, config, oracle)

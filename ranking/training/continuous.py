"""Learning without end: what is new trains the models that serve; a child that passes the gates takes over.

The newest part of what is new is held out, and both models are judged on it. The child's training period
ends where the held-out part begins, so the next run learns from that part too: nothing is left out.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ranking import registry
from ranking.models import ModelVersion
from ranking.phoenix.config import PhoenixConfig
from ranking.training import gates, logs
from ranking.training.dataset import Dataset, Examples
from ranking.training.evaluate import head_values
from ranking.training.presets import TrainingSettings, xsocial_config
from ranking.training.retrieval import recall
from ranking.training.run import KINDS, Trained, figures_of, plan, probabilities, run, some
from xsocial.kernel import clock
from xsocial.kernel.errors import NotFound

LEARNING_MINUTES = 4.0
# A child starts near its parent: smaller steps, once over what is new.
LEARNING_RATE = 5e-4


def learn(*, minutes: float = LEARNING_MINUTES, quiet: bool = True) -> list[str]:
    """Trains, judges and promotes; names of the versions promoted.

    Raises Unavailable when too little is new, Conflict while another run is going on.
    """
    parents = _parents()
    settings = TrainingSettings(seed=clock.now_ms() % 100_000, minutes=minutes)
    if parents:
        settings = TrainingSettings(seed=settings.seed, minutes=minutes, epochs=1, learning_rate=LEARNING_RATE)
    since_ms = min((version.training["until_ms"] for version in parents.values()), default=0)
    wanted = plan(
        settings,
        asked=logs.period(since_ms=since_ms),
        parents={kind: version.name for kind, version in parents.items()},
    )
    trained = run(wanted, quiet=quiet)
    return promote_good(trained) if trained else []


def promote_good(trained: Trained) -> list[str]:
    """Promotes the versions that pass the gates; the others are rejected and say why."""
    judged = some(trained.held_out.examples, TrainingSettings.judged_requests)
    return [
        registry.promote(version).name
        for version in trained.versions.values()
        if gates.passes(version, figures_of_serving(version, trained.held_out, judged))
    ]


def figures_of_serving(version: ModelVersion, dataset: Dataset, examples: Examples) -> dict[str, Any]:
    """Figures of the model that serves now on the pages a candidate is judged on; empty without one."""
    serving = registry.promoted(version.kind)
    if serving is None or not len(examples):
        return {}
    old, new = registry.load(serving), registry.load(version)
    if version.kind == ModelVersion.Kind.RETRIEVAL:
        return {"model": serving.name, **recall(old.model, old.tables, dataset, examples)}
    config = new.model.config
    before = old.model.config
    if (before.candidate_feature_names, before.action_names) != (config.candidate_feature_names, config.action_names):
        return {}  # the pages were prepared for the new model's features, and the values are of its heads
    as_asked = examples.as_asked(config.candidate_feature_names)
    values = head_values(config.action_names)
    scores = [probabilities(model, dataset, as_asked) @ values for model in (old, new)]
    agreement = gates.rank_agreement(scores[0], scores[1], np.asarray(examples.valid))
    figures = {"model": serving.name, **figures_of(old, dataset, examples)}
    return figures if agreement is None else {**figures, "rank_agreement": agreement}


def _parents() -> dict[str, ModelVersion]:
    """The serving versions, when all can be trained on; a first or changed model starts afresh."""
    serving = {kind: registry.promoted(kind) for kind in KINDS}
    for kind, version in serving.items():
        if version is None:
            return {}
        config = PhoenixConfig.from_dict(version.config)
        if config.replace(item_ids_below=0) != xsocial_config(kind):
            return {}
        try:
            registry.training_state(version)
        except NotFound:
            return {}
    return {kind: version for kind, version in serving.items() if version is not None}

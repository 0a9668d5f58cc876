"""A tiny training run as a process of its own, to be killed and resumed.

    python -m tests.ranking.tiny_training STATE LOSSES [--resume]

Prints a line per checkpoint; writes the losses of both models and a checksum of their weights as JSON.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import django

django.setup()

import torch  # noqa: E402

from ranking.features import CANDIDATE_FEATURES  # noqa: E402
from ranking.training.dataset import build  # noqa: E402
from ranking.training.loop import Fit  # noqa: E402
from ranking.training.presets import TrainingSettings, xsocial_config  # noqa: E402
from ranking.training.ranker import RankerTrainer  # noqa: E402
from ranking.training.retrieval import RetrievalTrainer  # noqa: E402
from ranking.training.state import StateFile  # noqa: E402
from tests.ranking.synthetic import logs  # noqa: E402

SETTINGS = TrainingSettings(
    epochs=2, minutes=0, batch_requests=8, random_negatives=16, checkpoint_steps=5, sampled_negatives=1
)


class Telling(StateFile):
    """Says when a state is safe on disk."""

    def save(self, tensors, facts) -> None:
        super().save(tensors, facts)
        print("kept", flush=True)


def fit(state: StateFile | None, *, resume: bool = False) -> dict:
    """Losses by kind, and a checksum of all weights."""
    torch.set_num_threads(1)
    dataset = build(logs(users=8, posts=60, requests=60, page=6), feature_names=CANDIDATE_FEATURES, sampled_negatives=1)
    halves = [(dataset, half) for half in dataset.split(0.5)]
    sizes = {"emb_size": 8, "num_layers": 1, "history": 6, "users": 32, "items": 64, "authors": 32}
    trainers = [
        RankerTrainer(xsocial_config("ranker", **sizes), SETTINGS),
        RetrievalTrainer(xsocial_config("retrieval", **sizes), SETTINGS),
    ]
    losses = Fit(trainers, halves, SETTINGS, state=state, quiet=True).run(resume=resume)
    weights = sum(float(t.double().abs().sum()) for trainer in trainers for t in trainer.state().values())
    return {"losses": losses, "weights": weights}


def main(state: str, out: str, *options: str) -> None:
    result = fit(Telling(Path(state)), resume="--resume" in options)
    Path(out).write_text(json.dumps(result))


if __name__ == "__main__":
    main(*sys.argv[1:])

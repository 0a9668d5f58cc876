"""`phoenix_train` as `torchrun` starts it, on a test's database and with a model small enough for a test.

    torchrun ... -m tests.ranking.train_command DATABASE DATA_DIR

Writes what each process ended with, the losses and a checksum of all weights, to DATA_DIR as JSON.
"""

from __future__ import annotations

import json
import sys
from functools import partial
from pathlib import Path

from django.conf import settings

settings.DATABASES["default"]["NAME"], settings.DATA_DIR = sys.argv[1], Path(sys.argv[2])

import django  # noqa: E402

django.setup()

from django.core.management import call_command  # noqa: E402

from ranking.management.commands import phoenix_train  # noqa: E402
from ranking.training import distributed, run  # noqa: E402
from ranking.training.loop import Fit  # noqa: E402

SIZES = {"emb_size": 8, "num_layers": 1, "history": 6, "users": 32, "items": 64, "authors": 32}


class Telling(Fit):
    """Says what its models became."""

    def run(self, *, resume: bool = False) -> dict[str, list[float]]:
        losses = super().run(resume=resume)
        weights = sum(float(t.double().abs().sum()) for trainer in self.trainers for t in trainer.state().values())
        path = settings.DATA_DIR / f"{distributed.rank()}.json"
        path.write_text(json.dumps({"losses": losses, "weights": weights}))
        return losses


run.MIN_IMPRESSIONS = 100
run.xsocial_config = partial(run.xsocial_config, **SIZES)
run.Fit = Telling
phoenix_train.TrainingSettings = partial(phoenix_train.TrainingSettings, batch_requests=8, random_negatives=16)
call_command("phoenix_train", "--no-promote", "--minutes", "0", "--epochs", "1", "--threads", "1")

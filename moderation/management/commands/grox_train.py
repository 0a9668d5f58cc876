"""Train the embedded classifier heads from labelled files."""

import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand

from moderation.grox.classifiers import heads
from moderation.grox.training.datasets import CachedEmbedder
from moderation.grox.training.tasks import TASKS
from moderation.grox.training.train import train
from xsocial.kernel.errors import Invalid


class Command(BaseCommand):
    help = "Train classifier heads from a folder of labelled csv.gz files and write their artefacts."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("folder", type=Path, help="holds NAME_train.csv.gz and NAME_val.csv.gz")
        parser.add_argument("--task", action="append", choices=sorted(TASKS), help="default: all")
        parser.add_argument("--out", type=Path, default=heads.ARTIFACTS)
        parser.add_argument("--cache", type=Path, help="npz file that keeps text embeddings between runs")

    def handle(self, *, folder: Path, task: list[str] | None, out: Path, cache: Path | None, **_: Any) -> None:
        embed = CachedEmbedder(cache)
        for name in task or TASKS:
            try:
                head = train(TASKS[name], folder, embed=embed)
            except Invalid as error:
                self.stderr.write(f"grox_train: {error.message}")
                sys.exit(2)
            heads.save(head, out)
            for file, figures in head.about["validation"].items():
                self.stdout.write(f"{name:10} {file:36} macro_f1 {figures['macro_f1']:.4f}")

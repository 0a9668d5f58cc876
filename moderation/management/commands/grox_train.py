"""Train the embedded classifiers from labelled files: the adapter of the text model, then the heads."""

import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand

from moderation.grox.classifiers import heads
from moderation.grox.embedders import adapter, minilm
from moderation.grox.training.adapting import learn
from moderation.grox.training.datasets import CachedEmbedder
from moderation.grox.training.tasks import TASKS
from moderation.grox.training.train import train
from xsocial.kernel.errors import Invalid, NotFound

ADAPTER = "adapter"


class Command(BaseCommand):
    help = "Train the adapter and the heads from a folder of labelled csv.gz files and write their artefacts."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("folder", type=Path, help="holds NAME_train.csv.gz and NAME_val.csv.gz")
        parser.add_argument(
            "--task", action="append", choices=[ADAPTER, *sorted(TASKS)], help="default: all, in the order they need"
        )
        parser.add_argument("--out", type=Path, default=heads.ARTIFACTS)
        parser.add_argument("--cache", type=Path, help="npz file that keeps readings of texts between runs")

    def handle(self, *, folder: Path, task: list[str] | None, out: Path, cache: Path | None, **_: Any) -> None:
        wanted = [name for name in (ADAPTER, *TASKS) if task is None or name in task]
        try:
            if ADAPTER in wanted:
                adapter.save(learn([each for each in TASKS.values() if each.adapts], folder), out / ADAPTER)
            minilm.model().adapt(adapter.load(out / ADAPTER).deltas())
            embed = CachedEmbedder(cache, adapter.sha256(out / ADAPTER))
            for name in wanted:
                if name != ADAPTER:
                    self._train_head(name, folder, out, embed)
        except (Invalid, NotFound) as error:
            self.stderr.write(f"grox_train: {error.message}")
            sys.exit(2)

    def _train_head(self, name: str, folder: Path, out: Path, embed: CachedEmbedder) -> None:
        head = train(TASKS[name], folder, embed=embed, artifacts=out)
        heads.save(head, out)
        for file, figures in head.about["validation"].items():
            self.stdout.write(f"{name:10} {file:36} macro_f1 {figures['macro_f1']:.4f}")

"""Judge a trained head on a labelled file."""

import json
import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand

from moderation.grox.classifiers import heads
from moderation.grox.embedders import adapter, minilm
from moderation.grox.training.datasets import kinds_of, read
from moderation.grox.training.metrics import ClassFigures, Figures, by_kind, judge
from moderation.grox.training.tasks import TASKS
from xsocial.kernel.errors import Invalid, NotFound


class Command(BaseCommand):
    help = (
        "Judge a trained head on a csv or csv.gz file with columns text,label (or one column a class); "
        "with a column kind also each kind by itself."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument("--task", required=True, choices=sorted(TASKS))
        parser.add_argument("--artifacts", type=Path, default=heads.ARTIFACTS)
        parser.add_argument("--json", action="store_true", dest="as_json")

    def handle(self, *, file: Path, task: str, artifacts: Path, as_json: bool, **_: Any) -> None:
        try:
            head = heads.load(task, artifacts)
            minilm.model().adapt(adapter.load(artifacts / "adapter").deltas())
            data = read(file, classes=head.classes, exclusive=head.exclusive)
            probabilities = head.probabilities(data.texts, minilm.read(data.texts))
            figures, kinds = judge(head, probabilities, data), by_kind(head, probabilities, data, kinds_of(file))
        except (Invalid, NotFound) as error:
            self.stderr.write(f"grox_evaluate: {error.message}")
            sys.exit(2)
        if as_json:
            found = {"task": task, "version": head.version, **figures.as_dict(), "kinds": kinds}
            self.stdout.write(json.dumps(found))
        else:
            self._print(head.version, figures)
            for name, accuracy in kinds.items():
                self.stdout.write(f"{name:26} accuracy {accuracy:.3f}")

    def _print(self, version: str, figures: Figures) -> None:
        self.stdout.write(f"{version} on {figures.rows} texts")
        self.stdout.write(f"macro_f1 {figures.macro_f1:.4f}")
        if figures.best_topic is not None:
            self.stdout.write(f"best_topic {figures.best_topic:.4f}")
        self.stdout.write(f"{'class':26} {'support':>7} {'precision':>9} {'recall':>7} {'f1':>7} {'auc':>7} {'ap':>7}")
        for row in figures.classes:
            self.stdout.write(self._line(row))

    def _line(self, row: ClassFigures) -> str:
        auc, average = (
            f"{value:7.4f}" if value is not None else "      -" for value in (row.auc, row.average_precision)
        )
        return f"{row.name:26} {row.support:7} {row.precision:9.4f} {row.recall:7.4f} {row.f1:7.4f} {auc} {average}"

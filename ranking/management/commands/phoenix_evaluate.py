"""manage.py phoenix_evaluate: the promoted ranker on the latest page loads, beside simple orders."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings

from ranking import registry
from ranking.management.base import PhoenixCommand, table, use_threads
from ranking.models import ModelVersion
from ranking.training.evaluate import oracle_from_file
from ranking.training.run import judge
from xsocial.kernel.errors import NotFound


class Command(PhoenixCommand):
    help = "Per-head AUC, normalised entropy and calibration; NDCG@10 and MRR against simple orders."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--model", help="name of a registered ranker; default: the promoted one")
        parser.add_argument("--limit", type=int, default=0, help="only the latest page loads, so many")
        parser.add_argument("--threads", type=int)
        parser.add_argument("--json", action="store_true")

    def handle(self, *, model: str | None, limit: int, threads: int | None, json: bool, **options: Any) -> None:
        use_threads(threads)
        version = registry.by_name(model) if model else registry.promoted(ModelVersion.Kind.RANKER)
        if version is None or version.kind != ModelVersion.Kind.RANKER:
            raise NotFound("There is no promoted ranker to evaluate.")
        oracle = oracle_from_file(Path(settings.DATA_DIR) / "world" / "oracle.npz")
        figures = judge(version, limit=limit, oracle=oracle)
        if json:
            self.print_json(figures)
        else:
            self._print(figures)

    def _print(self, figures: dict[str, Any]) -> None:
        self.stdout.write(f"{figures['model']}: {figures['requests']} page loads, {figures['impressions']} impressions")
        rows = [("order", "NDCG@10", "NDCG@10 likes", "MRR likes", "AUC likes")]
        for name, page in figures["pages"].items():
            rows.append((name, *(_number(value) for value in page.values())))
        self.stdout.write(table(rows) + "\n")
        rows = [("head", "rate", "AUC", "norm. entropy", "calibration", "ECE")]
        for head, value in figures["heads"].items():
            keys = ("rate", "auc", "normalised_entropy", "calibration", "ece")
            rows.append((head, *(_number(value[key]) for key in keys)))
        self.stdout.write(table(rows))


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.4f}"

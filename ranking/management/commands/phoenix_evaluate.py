"""manage.py phoenix_evaluate: models on the page loads after their training, beside simple orders."""

from __future__ import annotations

from argparse import ArgumentParser
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from django.conf import settings

from ranking import registry
from ranking.evaluation.report import keep, report
from ranking.management.base import PhoenixCommand, table, use_threads
from ranking.models import ModelVersion
from ranking.training.evaluate import oracle_from_file
from xsocial.kernel.arguments import whole
from xsocial.kernel.errors import NotFound

HEAD_COLUMNS = ("rate", "auc", "pr_auc", "normalised_entropy", "calibration", "ece")


class Command(PhoenixCommand):
    help = "Figures per head, of the order, of retrieval, reach and slices; keeps them with plots for the admin."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--model", help="name of a registered ranker; default: the promoted one")
        parser.add_argument("--retrieval", help="name of a registered retrieval model; default: the promoted one")
        parser.add_argument("--limit", type=whole(0), default=0, help="only the latest page loads, so many")
        parser.add_argument("--no-plots", action="store_true", help="keep no figures and plots beside the model")
        parser.add_argument("--threads", type=whole())
        parser.add_argument("--json", action="store_true")

    def handle(self, *, model: str | None, retrieval: str | None, limit: int, json: bool, **options: Any) -> None:
        use_threads(options["threads"])
        ranker = _version(model, ModelVersion.Kind.RANKER)
        if ranker is None:
            raise NotFound("There is no promoted ranker to evaluate.")
        oracle = oracle_from_file(Path(settings.DATA_DIR) / "world" / "oracle.npz")
        towers = _version(retrieval, ModelVersion.Kind.RETRIEVAL)
        figures = report(ranker, towers, limit=limit, oracle=oracle)
        place = None if options["no_plots"] else keep(ranker, figures)
        if json:
            self.print_json(figures)
            return
        self._print(figures)
        if place:
            self.stdout.write(f"figures and plots: {place}")

    def _print(self, figures: dict[str, Any]) -> None:
        self.stdout.write(f"{figures['model']}: {figures['requests']} page loads, {figures['impressions']} impressions")
        pages = figures["pages"]
        self._table("order", ("ndcg@10", "ndcg@10_favorite", "mrr_favorite", "recall@5_favorite"), pages.items())
        self._table("head", HEAD_COLUMNS, figures["heads"].items())
        for name, parts in figures["slices"].items():
            self._table(name, ("impressions", "ndcg@10", "auc_favorite", "rate_favorite"), parts.items())
        self._table("first ten", ("coverage@10", "author_gini@10", "new_author_share@10"), figures["reach"].items())
        self._cold("ranker", figures["cold"])
        if found := figures.get("retrieval"):
            self._cold("retrieval", found["cold"])
            columns = tuple(name for name in found if name not in ("model", "cold"))
            self._table("retrieval", columns, [(found["model"], found)])

    def _cold(self, kind: str, slices: dict[str, Any]) -> None:
        """Posts of which little was known; 95 % intervals in brackets."""
        columns = tuple(next(iter(slices.values())))
        self._table(f"{kind}: posts", columns, slices.items())

    def _table(self, title: str, columns: tuple[str, ...], rows: Iterable[tuple[str, dict[str, Any]]]) -> None:
        cells = [(name, *(_number(row[column]) for column in columns)) for name, row in rows]
        self.stdout.write("\n" + table([(title, *columns), *cells]))


def _version(name: str | None, kind: str) -> ModelVersion | None:
    version = registry.by_name(name) if name else registry.promoted(kind)
    if version is not None and version.kind != kind:
        raise NotFound(f"{version.name} is not a {kind}.")
    return version


def _number(value: float | list[float] | None) -> str:
    if value is None:
        return "-"
    if isinstance(value, list):
        return "{:.3f} ({:.3f}..{:.3f})".format(*value)
    return str(value) if isinstance(value, int) else f"{value:.4f}"

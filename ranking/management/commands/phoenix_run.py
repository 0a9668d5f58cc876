"""manage.py phoenix_run ARTIFACTS: retrieval, then ranking, from exported artifacts."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from ranking.management.base import PhoenixCommand, table
from ranking.phoenix import artifacts
from ranking.phoenix.pipeline import PipelineResult, run_pipeline
from xsocial.kernel.arguments import whole


class Command(PhoenixCommand):
    help = "Ranks a corpus for the user of an example sequence, as the published script does."
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("artifacts", type=Path, help="folder with retrieval/, ranker/ and sports_corpus.npz")
        parser.add_argument("--sequence", type=Path, help="default: example_sequence.json of the folder")
        parser.add_argument("--top-k", type=whole(), default=200, help="posts taken from retrieval")
        parser.add_argument("--show", type=whole(0), default=20, help="rows of the printed table")
        parser.add_argument("--json", action="store_true", help="all rows, all probabilities")

    def handle(self, *, top_k: int, json: bool, show: int, **options: Any) -> None:
        folder: Path = options["artifacts"]
        retrieval = artifacts.load(folder / "retrieval", "retrieval")
        result = run_pipeline(
            retrieval=retrieval,
            ranker=artifacts.load(folder / "ranker", "ranker"),
            corpus=artifacts.load_corpus(folder / "sports_corpus.npz", emb_size=retrieval.config.emb_size),
            sequence=artifacts.load_sequence(options["sequence"] or folder / "example_sequence.json"),
            top_k=top_k,
        )
        if json:
            self.print_json(_rows(result))
        else:
            self.stdout.write(_text(result, show))


def _rows(result: PipelineResult) -> list[dict[str, Any]]:
    return [
        {
            "rank": rank + 1,
            "post_id": str(result.retrieved_post_ids[place]),
            "score": float(result.weighted[place]),
            "retrieval_score": float(result.retrieval_scores[place]),
            "probabilities": dict(zip(result.action_names, result.probabilities[place].tolist(), strict=True)),
        }
        for rank, place in enumerate(result.final_order)
    ]


def _text(result: PipelineResult, show: int) -> str:
    named = [name for name in result.action_names if not name.startswith("action_")]
    rows = [("rank", "post", "score", "retrieval", *named)]
    for row in _rows(result)[:show]:
        heads = [f"{row['probabilities'][name]:.4f}" for name in named]
        rows.append((str(row["rank"]), row["post_id"], f"{row['score']:.4f}", f"{row['retrieval_score']:.4f}", *heads))
    return table(rows)

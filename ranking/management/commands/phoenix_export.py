"""manage.py phoenix_export FOLDER: the promoted models in the published artifact layout."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

import numpy as np

from ranking import registry
from ranking.management.base import PhoenixCommand
from ranking.models import ModelVersion
from ranking.phoenix import artifacts
from ranking.retrieval import vector_store
from xsocial.kernel import clock
from xsocial.kernel.errors import NotFound


class Command(PhoenixCommand):
    help = "Writes retrieval/ and ranker/ folders, and the corpus of candidate vectors."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("folder", type=Path)

    def handle(self, *, folder: Path, **options: Any) -> None:
        for kind in ModelVersion.Kind.values:
            version = registry.promoted(kind)
            if version is None:
                raise NotFound(f"There is no promoted {kind} model to export.")
            checkpoint = registry.load(version)
            artifacts.save(folder / kind, model=checkpoint.model, tables=checkpoint.tables.arrays)
            self.stdout.write(f"{version.name} -> {folder / kind}")
            if kind == ModelVersion.Kind.RETRIEVAL:
                self._export_corpus(folder, version, checkpoint.model.config.emb_size)

    def _export_corpus(self, folder: Path, version: ModelVersion, dimensions: int) -> None:
        found = vector_store.changes(version.pk, since=clock.EPOCH, created_after_ms=0, dimensions=dimensions)
        authors = vector_store.author_ids(found.ids)
        path = folder / "sports_corpus.npz"
        np.savez(path, post_ids=found.ids, author_ids=authors, candidate_representations=found.vectors)
        self.stdout.write(f"{len(found.ids)} candidate vectors -> {path}")

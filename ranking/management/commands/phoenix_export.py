"""manage.py phoenix_export FOLDER: the promoted models in the published artifact layout."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

import numpy as np

from accounts.models import User
from ranking import registry
from ranking.heads import multi_hot
from ranking.management.base import PhoenixCommand
from ranking.models import ModelVersion
from ranking.phoenix import artifacts
from ranking.phoenix.actions import action_names
from ranking.phoenix.config import PhoenixConfig
from ranking.retrieval import vector_store
from ranking.sequences import action_sequence
from ranking.types import Int64s
from xsocial.kernel import clock
from xsocial.kernel.errors import NotFound

# Acts of the reader that the example makes up, one post after another.
MADE_UP = (("favorite", "dwell", "vqv"), ("favorite", "reply", "dwell"), ("favorite", "dwell"))
NOBODY = 2**63 - 1


class Command(PhoenixCommand):
    help = "Writes retrieval/ and ranker/ folders, the corpus of candidate vectors, and an example to run them with."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("folder", type=Path)
        parser.add_argument("--viewer", help="handle of whose history becomes the example (default: one made up)")

    def handle(self, *, folder: Path, viewer: str | None, **options: Any) -> None:
        reader = User.objects.filter(username__iexact=viewer).first() if viewer else None
        if viewer and reader is None:
            raise NotFound(f"There is nobody called {viewer!r}.")
        for kind in ModelVersion.Kind.values:
            version = registry.promoted(kind)
            if version is None:
                raise NotFound(f"There is no promoted {kind} model to export.")
            checkpoint = registry.load(version)
            config = checkpoint.model.config
            artifacts.save(folder / kind, model=checkpoint.model, tables=checkpoint.tables.arrays)
            self.stdout.write(f"{version.name} -> {folder / kind}")
            if kind == ModelVersion.Kind.RETRIEVAL:
                corpus = self._export_corpus(folder, version, config.emb_size)
        sequence = _history(reader, config) if reader else _made_up(corpus, config)
        artifacts.save_sequence(folder / "example_sequence.json", sequence)
        self.stdout.write(f"{len(sequence.post_ids)} posts of history -> {folder / 'example_sequence.json'}")

    def _export_corpus(self, folder: Path, version: ModelVersion, dimensions: int) -> artifacts.Corpus:
        found = vector_store.changes(version.pk, since=clock.EPOCH, created_after_ms=0, dimensions=dimensions)
        corpus = artifacts.Corpus(found.ids, vector_store.author_ids(found.ids), found.vectors, None)
        path = folder / "sports_corpus.npz"
        np.savez(
            path,
            post_ids=corpus.post_ids,
            author_ids=corpus.author_ids,
            candidate_representations=corpus.vectors,
        )
        self.stdout.write(f"{len(found.ids)} candidate vectors -> {path}")
        return corpus


def _made_up(corpus: artifacts.Corpus, config: PhoenixConfig) -> artifacts.Sequence:
    """Nobody's history: the newest posts of the corpus, as if somebody had liked them."""
    newest = np.argsort(corpus.post_ids)[-len(MADE_UP) :]
    acts = [dict.fromkeys(names, 1.0) for names in MADE_UP[: len(newest)]]
    return _sequence(NOBODY, corpus.post_ids[newest], corpus.author_ids[newest], acts, config)


def _history(reader: User, config: PhoenixConfig) -> artifacts.Sequence:
    """What a person did last, as the model would read it."""
    rows = action_sequence(reader.pk, before_ms=clock.now_ms(), max_length=config.history_seq_len)
    names = action_names(config)
    acts = [dict(zip(names, row, strict=True)) for row in multi_hot(rows.action_bits, names).tolist()]
    return _sequence(reader.pk, rows.post_ids, rows.author_ids, acts, config)


def _sequence(
    user_id: int, post_ids: Int64s, author_ids: Int64s, acts: list[dict[str, float]], config: PhoenixConfig
) -> artifacts.Sequence:
    index = {name: place for place, name in enumerate(action_names(config))}
    actions = [{index[name]: value for name, value in row.items() if value and name in index} for row in acts]
    return artifacts.Sequence(user_id, post_ids.tolist(), author_ids.tolist(), actions)

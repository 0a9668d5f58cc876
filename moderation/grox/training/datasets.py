"""Labelled files for training and evaluation: csv or csv.gz, first column `text`.

The files stay outside the repository. Their labels keep the meaning their makers gave them, so each
task names the files it can read.
"""

import csv
import hashlib
import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from moderation.grox.embedders import minilm
from moderation.grox.spelling import mended
from moderation.grox.text import normalise
from xsocial.kernel import text_files
from xsocial.kernel.errors import Invalid

UNKNOWN = -1  # the annotators did not judge this text for this class
KEPT_BACK = 10  # percent of the texts, which the adapter does not see


@dataclass(frozen=True)
class Labelled:
    """Normalised and mended texts with labels [N, C] of 1, 0 or UNKNOWN; `sources` [N] number the files they came from.

    `kept_back` [N] marks texts for weighing models that have learned from the others.
    """

    texts: list[str]
    labels: NDArray[np.int8]
    sources: NDArray[np.int64]
    kept_back: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.texts)

    def followed_by(self, other: "Labelled") -> "Labelled":
        """These rows and then others of the same classes, whose files count as further sources."""
        sources = np.concatenate([self.sources, self.sources.max() + 1 + other.sources])
        return Labelled(
            [*self.texts, *other.texts],
            np.concatenate([self.labels, other.labels]),
            sources,
            np.concatenate([self.kept_back, other.kept_back]),
        )

    def where(self, mask: NDArray[np.bool_]) -> "Labelled":
        """Some of the rows."""
        texts = [text for text, is_wanted in zip(self.texts, mask, strict=True) if is_wanted]
        return Labelled(texts, self.labels[mask], self.sources[mask], self.kept_back[mask])


def read_rows(path: Path) -> list[dict[str, str]]:
    """Return the rows of a csv or csv.gz file. Raise Invalid if it cannot be read as one."""
    reader = csv.DictReader(text_files.lines(path))
    try:
        header = reader.fieldnames or ()
        if "text" not in header:
            raise Invalid(f"{path.name}: no column named text; the header is {', '.join(header)[:200] or 'empty'}")
        return list(reader)
    except csv.Error as error:
        raise Invalid(f"{path.name}: not readable as a table ({error})") from None


def read(path: Path, *, classes: Sequence[str], exclusive: bool) -> Labelled:
    """Read one labelled file.

    Exclusive classes are numbers 0..C-1 in a column `label`; a single class is read from 0/1 in
    `label`; otherwise every class has its own column, where a missing column, -1 and nothing mean UNKNOWN.
    """
    rows = read_rows(path)
    if not rows:
        raise Invalid(f"{path.name}: no rows")
    texts = [mended(normalise(row["text"] or "")) for row in rows]
    if exclusive or (len(classes) == 1 and "label" in rows[0]):
        numbers = [
            _label(row.get("label") or "", path, line, most=max(1, len(classes) - 1)) for line, row in _lines(rows)
        ]
        return _of_one_file(texts, _from_numbers(numbers, classes))
    columns = [name for name in classes if name in rows[0]]
    if not columns:
        raise Invalid(f"{path.name}: no column named label, nor any of {', '.join(classes)}")
    labels = np.full((len(rows), len(classes)), UNKNOWN, dtype=np.int8)
    for column in columns:
        labels[:, classes.index(column)] = [
            _label(row[column] or str(UNKNOWN), path, line, least=UNKNOWN) for line, row in _lines(rows)
        ]
    return _of_one_file(texts, labels)


def _of_one_file(texts: list[str], labels: NDArray[np.int8]) -> Labelled:
    return Labelled(
        texts, labels, np.zeros(len(texts), dtype=np.int64), np.array([is_kept_back(text) for text in texts])
    )


def is_kept_back(key: str) -> bool:
    """Whether a text, or all that share a key, is kept back: the same ones always."""
    return int.from_bytes(hashlib.sha256(key.encode()).digest()[:4]) % 100 < KEPT_BACK


def _lines(rows: Iterable[dict[str, str]]) -> Iterator[tuple[int, dict[str, str]]]:
    """Rows with their lines in the file, below the header."""
    return enumerate(rows, 2)


def _label(value: str, path: Path, line: int, *, least: int = 0, most: int = 1) -> int:
    """A whole number within bounds; spreadsheets also write it as 1.0."""
    try:
        number = float(value)
    except ValueError:
        number = math.nan
    if number not in range(least, most + 1):
        raise Invalid(f"{path.name}, line {line}: the label {value!r} is not a number from {least} to {most}")
    return int(number)


def _from_numbers(numbers: list[int], classes: Sequence[str]) -> NDArray[np.int8]:
    values = np.asarray(numbers)
    if len(classes) == 1:
        return values.astype(np.int8)[:, None]
    return np.eye(len(classes), dtype=np.int8)[values]


def kinds_of(path: Path) -> list[str]:
    """The column `kind` of a file of functional tests; empty where a file has none."""
    rows = read_rows(path)
    return [row["kind"] for row in rows] if rows and "kind" in rows[0] else []


def join(parts: Sequence[Labelled]) -> Labelled:
    """Put several data sets of the same classes behind one another."""
    texts = [text for part in parts for text in part.texts]
    sources = np.repeat(np.arange(len(parts)), [len(part) for part in parts])
    labels, kept_back = (np.concatenate(each) for each in ([p.labels for p in parts], [p.kept_back for p in parts]))
    return Labelled(texts, labels, sources, kept_back)


def file_sha256(path: Path) -> str:
    """Return the hash by which an artefact names the file it was trained on."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


class CachedEmbedder:
    """MiniLM with its vectors kept in a file between runs; of use while nothing but the heads is trained."""

    def __init__(self, path: Path | None, adapter: str) -> None:
        """`adapter` is the hash of the one in use, whose readings these are."""
        self._path, self._adapter = path, adapter
        self._vectors: dict[str, NDArray[np.float32]] = {}
        if path and path.exists():
            with np.load(path) as stored:
                self._vectors = dict(zip(stored["keys"].tolist(), stored["vectors"], strict=True))

    def __call__(self, texts: list[str]) -> NDArray[np.float32]:
        keys = [hashlib.sha1(f"{self._adapter}{text}".encode()).hexdigest() for text in texts]
        missing = {k: t for k, t in zip(keys, texts, strict=True) if k not in self._vectors}
        if missing:
            vectors = minilm.read(list(missing.values()))
            self._vectors.update(zip(missing, vectors, strict=True))
            self._save()
        return np.stack([self._vectors[key] for key in keys])

    def _save(self) -> None:
        if self._path:
            vectors = np.stack(list(self._vectors.values()))
            np.savez(self._path, keys=np.array(list(self._vectors)), vectors=vectors)

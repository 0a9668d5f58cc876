"""Linear heads on word and character TF-IDF beside what MiniLM reads and the text's looks, kept as plain arrays.

A head is logistic regression: p = sigmoid(w_tfidf . x + w_read . v + w_surface . s + b), or softmax over exclusive
classes, with its calibration folded into the weights; v is the vector and the adapted reading of `minilm.read`. A head
with few labelled texts may also read what heads with many say. An artefact is one `.npz` of arrays (no pickle) and one
`.json` that says where it came from.
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from moderation.grox.classifiers.ngrams import CharGrams, Terms, WordGrams
from moderation.grox.classifiers.surface import surface
from xsocial.kernel.errors import NotFound

ARTIFACTS = Path(__file__).parent.parent / "artifacts"


@dataclass(frozen=True)
class Head:
    """One trained task. `classes` name the columns of the answer; `exclusive` ones sum to 1."""

    task: str
    version: str
    classes: tuple[str, ...]
    exclusive: bool
    languages: tuple[str, ...]
    words: Terms
    chars: Terms
    sparse_weights: NDArray[np.float32]  # [C, words + chars]
    read_weights: NDArray[np.float32]  # [C, 768]
    surface_weights: NDArray[np.float32]  # [C, 10]
    bias: NDArray[np.float32]  # [C]
    thresholds: NDArray[np.float32]  # [C], where macro-F1 was best out of fold
    reads: tuple[tuple[str, str], ...] = ()  # classes of other heads
    reads_weights: NDArray[np.float32] | None = None  # [C, those]
    folder: Path = ARTIFACTS  # of the heads that it reads
    about: dict[str, Any] = field(default_factory=dict)

    def probabilities(self, texts: Sequence[str], read: NDArray[np.float32]) -> NDArray[np.float32]:
        """Probabilities [N, C] of normalised texts with vectors and readings [N, 768]."""
        others = [load(task, self.folder) for task in self.tasks_read]
        return Bank((*others, self)).probabilities(texts, read)[:, -len(self.classes) :]

    @property
    def tasks_read(self) -> tuple[str, ...]:
        """The other heads that this one needs beside it."""
        return tuple(dict.fromkeys(task for task, _ in self.reads))

    def decide(self, probabilities: NDArray[np.float32]) -> NDArray[np.int8]:
        """Labels [N, C] of 0 and 1: each against its threshold, or the class furthest above it if exclusive."""
        if self.exclusive:
            return np.eye(len(self.classes), dtype=np.int8)[(probabilities / self.thresholds).argmax(axis=1)]
        return (probabilities >= self.thresholds).astype(np.int8)


class Bank:
    """Several heads over one count of the texts' n-grams. `keys` name the columns of its answers."""

    def __init__(self, heads: Sequence[Head]) -> None:
        self.heads = tuple(heads)
        self.keys = [(head.task, name) for head in heads for name in head.classes]
        num_words = [len(head.words.terms) for head in heads]
        self._words = WordGrams(
            [head.words for head in heads],
            [head.sparse_weights[:, :n] for head, n in zip(heads, num_words, strict=True)],
        )
        self._chars = CharGrams(
            [head.chars for head in heads],
            [head.sparse_weights[:, n:] for head, n in zip(heads, num_words, strict=True)],
        )
        self._read_weights = np.concatenate([head.read_weights for head in heads]).T
        self._readers = [
            (
                [self.keys.index((head.task, name)) for name in head.classes],
                [self.keys.index(read) for read in head.reads],
                head.reads_weights.T,
            )
            for head in heads
            if head.reads_weights is not None
        ]
        self._surface_weights = np.concatenate([head.surface_weights for head in heads]).T
        self._bias = np.concatenate([head.bias for head in heads])

    def probabilities(self, texts: Sequence[str], read: NDArray[np.float32]) -> NDArray[np.float32]:
        """Probabilities [N, classes of all heads] of normalised texts with vectors and readings [N, 768]."""
        logits = self._words.logits(texts) + self._chars.logits(texts) + self._bias
        logits += read @ self._read_weights + surface(texts) @ self._surface_weights
        parts = np.split(logits, np.cumsum([len(head.classes) for head in self.heads])[:-1], axis=1)
        answers = np.concatenate(
            [(softmax if head.exclusive else sigmoid)(part) for head, part in zip(self.heads, parts, strict=True)],
            axis=1,
        )
        for own, read, weights in self._readers:
            answers[:, own] = sigmoid(logits[:, own] + as_evidence(answers[:, read]) @ weights)
        return answers


def as_evidence(probabilities: NDArray[np.floating]) -> NDArray[np.float32]:
    """What a reading head makes of others' probabilities: their log odds, bounded, between -2 and 2."""
    bounded = np.clip(probabilities, 1e-6, 1 - 1e-6)
    return (np.clip(np.log(bounded / (1 - bounded)), -6, 6) / 3).astype(np.float32)


@lru_cache(maxsize=4)
def bank(tasks: tuple[str, ...]) -> Bank:
    """The trained heads of these tasks, and those they read, once per process. Raise NotFound as `load` does."""
    wanted = [load(task) for task in tasks]
    read = [task for head in wanted for task in head.tasks_read]
    return Bank([load(task) for task in dict.fromkeys((*tasks, *read))])


def sigmoid(logits: NDArray[np.floating]) -> NDArray[np.float32]:
    return (1 / (1 + np.exp(-np.clip(logits, -30, 30)))).astype(np.float32)


def softmax(logits: NDArray[np.floating]) -> NDArray[np.float32]:
    exponentials = np.exp(logits - logits.max(axis=1, keepdims=True))
    return (exponentials / exponentials.sum(axis=1, keepdims=True)).astype(np.float32)


def save(head: Head, folder: Path) -> None:
    """Write the head's two files. Weights are rounded to float16: half the size, same answers."""
    folder.mkdir(parents=True, exist_ok=True)
    np.savez_compressed(
        folder / f"{head.task}.npz",
        words=_packed(head.words.terms),
        words_idf=head.words.idf.astype(np.float16),
        chars=_packed(head.chars.terms),
        chars_idf=head.chars.idf.astype(np.float16),
        sparse_weights=head.sparse_weights.astype(np.float16),
        read_weights=head.read_weights.astype(np.float16),
        surface_weights=head.surface_weights.astype(np.float16),
        bias=head.bias,
        thresholds=head.thresholds,
        **({} if head.reads_weights is None else {"reads_weights": head.reads_weights.astype(np.float16)}),
    )
    load.cache_clear()
    about = {
        "task": head.task,
        "version": head.version,
        "classes": head.classes,
        "exclusive": head.exclusive,
        "languages": head.languages,
        "reads": head.reads,
        **head.about,
    }
    (folder / f"{head.task}.json").write_text(json.dumps(about, indent=1, ensure_ascii=False) + "\n")


def _packed(terms: tuple[str, ...]) -> NDArray[np.uint8]:
    """Terms as UTF-8 bytes between NULs, which no term contains."""
    return np.frombuffer("\0".join(terms).encode(), dtype=np.uint8)


@lru_cache(maxsize=16)
def load(task: str, folder: Path = ARTIFACTS) -> Head:
    """Read one head, once per process. Raise NotFound when it was never trained."""
    try:
        about = json.loads((folder / f"{task}.json").read_text())
        stored = np.load(folder / f"{task}.npz")
    except FileNotFoundError as error:
        raise NotFound(f"there is no trained head for the task {task}") from error
    return Head(
        task=about.pop("task"),
        version=about.pop("version"),
        classes=tuple(about.pop("classes")),
        exclusive=about.pop("exclusive"),
        languages=tuple(about.pop("languages")),
        words=_terms(stored, "words"),
        chars=_terms(stored, "chars"),
        sparse_weights=stored["sparse_weights"].astype(np.float32),
        read_weights=stored["read_weights"].astype(np.float32),
        surface_weights=stored["surface_weights"].astype(np.float32),
        bias=stored["bias"],
        thresholds=stored["thresholds"],
        reads=tuple((task, name) for task, name in about.pop("reads", ())),
        reads_weights=stored["reads_weights"].astype(np.float32) if "reads_weights" in stored else None,
        folder=folder,
        about=about,
    )


def sha256(task: str, folder: Path = ARTIFACTS) -> str:
    """The hash by which a head names another that it was fitted beside."""
    with (folder / f"{task}.npz").open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def available(folder: Path = ARTIFACTS) -> list[str]:
    """Names of the tasks that have a trained head."""
    return sorted(path.stem for path in folder.glob("*.npz"))


def _terms(stored: Any, name: str) -> Terms:
    packed = stored[name].tobytes().decode()
    terms = tuple(packed.split("\0")) if packed else ()
    return Terms(terms, stored[f"{name}_idf"].astype(np.float32))

"""Linear heads on word and character TF-IDF beside the MiniLM vector, kept as plain arrays.

A head is logistic regression: p = sigmoid(w_tfidf . x + w_vector . v + b), or softmax over exclusive
classes, with its calibration folded into the weights. An artefact is one `.npz` of arrays (no
pickle) and one `.json` that says where it came from.
"""

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.feature_extraction.text import CountVectorizer

from xsocial.kernel.errors import NotFound

ARTIFACTS = Path(__file__).parent.parent / "artifacts"

WORD_OPTIONS = {"analyzer": "word", "ngram_range": (1, 2), "token_pattern": r"(?u)\b\w+\b|[^\w\s]"}
CHAR_OPTIONS = {"analyzer": "char_wb", "ngram_range": (2, 5)}

_word_grams = CountVectorizer(lowercase=False, **WORD_OPTIONS).build_analyzer()
_char_grams = CountVectorizer(lowercase=False, **CHAR_OPTIONS).build_analyzer()


@dataclass(frozen=True)
class Grams:
    """The n-grams of a text, counted once for all heads."""

    words: Counter[str]
    chars: Counter[str]


def grams_of(text: str) -> Grams:
    """Count word and character n-grams of normalised text."""
    return Grams(Counter(_word_grams(text)), Counter(_char_grams(text)))


@dataclass(frozen=True)
class Terms:
    """A fixed vocabulary with its inverse document frequencies."""

    terms: tuple[str, ...]
    idf: NDArray[np.float32]

    @cached_property
    def places(self) -> dict[str, int]:
        """Column of each term."""
        return {term: index for index, term in enumerate(self.terms)}

    def weigh(self, counts: Counter[str]) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """Columns and TF-IDF weights of the known n-grams: sublinear, of unit length."""
        places = self.places
        # filter and map keep the loop over hundreds of n-grams out of the interpreter.
        known = list(filter(places.__contains__, counts))
        columns = np.fromiter(map(places.__getitem__, known), np.int64, len(known))
        tallies = np.fromiter(map(counts.__getitem__, known), np.float32, len(known))
        weights = (1 + np.log(tallies)) * self.idf[columns]
        return columns, weights / max(float(np.linalg.norm(weights)), 1e-12)


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
    vector_weights: NDArray[np.float32]  # [C, 384]
    bias: NDArray[np.float32]  # [C]
    thresholds: NDArray[np.float32]  # [C], where macro-F1 was best out of fold
    about: dict[str, Any] = field(default_factory=dict)

    def probabilities(self, grams: Sequence[Grams], vectors: NDArray[np.float32]) -> NDArray[np.float32]:
        """Probabilities [N, C] from the n-grams of normalised texts and their MiniLM vectors [N, 384]."""
        logits = np.stack([self._sparse_part(row) for row in grams]) + vectors @ self.vector_weights.T + self.bias
        return softmax(logits) if self.exclusive else sigmoid(logits)

    def _sparse_part(self, grams: Grams) -> NDArray[np.float32]:
        words, word_weights = self.words.weigh(grams.words)
        chars, char_weights = self.chars.weigh(grams.chars)
        offset = len(self.words.terms)
        return self.sparse_weights[:, words] @ word_weights + self.sparse_weights[:, offset + chars] @ char_weights

    def decide(self, probabilities: NDArray[np.float32]) -> NDArray[np.int8]:
        """Labels [N, C] of 0 and 1: the likeliest class if exclusive, else each against its threshold."""
        if self.exclusive:
            return np.eye(len(self.classes), dtype=np.int8)[probabilities.argmax(axis=1)]
        return (probabilities >= self.thresholds).astype(np.int8)


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
        vector_weights=head.vector_weights.astype(np.float16),
        bias=head.bias,
        thresholds=head.thresholds,
    )
    about = {
        "task": head.task,
        "version": head.version,
        "classes": head.classes,
        "exclusive": head.exclusive,
        "languages": head.languages,
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
        vector_weights=stored["vector_weights"].astype(np.float32),
        bias=stored["bias"],
        thresholds=stored["thresholds"],
        about=about,
    )


def available(folder: Path = ARTIFACTS) -> list[str]:
    """Names of the tasks that have a trained head."""
    return sorted(path.stem for path in folder.glob("*.npz"))


def _terms(stored: Any, name: str) -> Terms:
    packed = stored[name].tobytes().decode()
    terms = tuple(packed.split("\0")) if packed else ()
    return Terms(terms, stored[f"{name}_idf"].astype(np.float32))

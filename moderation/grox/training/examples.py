"""Likeness to example sentences: a direction to look into, for tasks whose labelled texts are too few to find it.

A feature is the cosine of a text's vector to an example's, standardised over the training texts. Being linear in
the vector it is folded into the head's weights and costs nothing later.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from moderation.grox.embedders import minilm
from moderation.grox.text import normalise

FILE = Path(__file__).parent / "examples.txt"
SCALE = 0.2


def example_sentences() -> list[str]:
    """The sentences, normalised; lines that begin with # name what they are examples of."""
    lines = FILE.read_text(encoding="utf-8").splitlines()
    return [normalise(line) for line in lines if line and not line.startswith("#")]


@dataclass(frozen=True)
class Likeness:
    """Examples' vectors [E, 384], and over the training texts the means and deviations [E] of the cosines."""

    examples: NDArray[np.float32]
    means: NDArray[np.float32]
    deviations: NDArray[np.float32]

    @classmethod
    def to(cls, sentences: Sequence[str], vectors: NDArray[np.float32]) -> Likeness:
        """Prepare for sentences, as seen from the training texts' vectors [N, 384]."""
        examples = minilm.embed(list(sentences))
        cosines = vectors @ examples.T
        return cls(examples, cosines.mean(axis=0), cosines.std(axis=0))

    def of(self, vectors: NDArray[np.float32]) -> NDArray[np.float32]:
        """The features [N, E]."""
        return SCALE * (vectors @ self.examples.T - self.means) / self.deviations

    def folded(self, weights: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Weights [C, E] of the features as weights [C, 384] of the vector, and a bias [C]."""
        scaled = SCALE * weights / self.deviations
        return scaled @ self.examples, -scaled @ self.means

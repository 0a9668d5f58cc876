"""Short texts that stand for long ones in an embedding, and replies with what they answer.

The embedder reads 256 tokens, so of a long text it would see the beginning only. The summary is made of the
text's own sentences: those nearest the mean of all, and not near one another.
"""

import re

import numpy as np
from numpy.typing import NDArray

from moderation.grox.embedders import minilm
from moderation.grox.text import normalise

VERSION = "extract_v1"
#: The version of vectors made of summaries, beside those of a post's own words.
EMBEDDING = "minilm_summary_v1"
LONG = 800  # characters; the embedder reads about a thousand
KEPT = 500  # characters of a summary
SENTENCES_READ = 80
REDUNDANCY = 0.5  # how much likeness to what was chosen takes from a sentence's worth
_END = re.compile(r"(?<=[.!?…])\s+|(?<=[\u3002\uff01\uff1f])|\n+")


def is_long(text: str) -> bool:
    """Whether a text needs a summary."""
    return len(text) > LONG


def extract(text: str) -> str:
    """At most `KEPT` characters of a text's own sentences, in their order; a short text as it is."""
    if not is_long(text):
        return text
    sentences = [part.strip() for part in _END.split(text) if part.strip()][:SENTENCES_READ]
    if len(sentences) < 2:
        return text[:KEPT]
    chosen = _chosen(sentences, minilm.embed([normalise(sentence) for sentence in sentences]))
    return " ".join(sentences[place] for place in sorted(chosen))[:KEPT]


def _chosen(sentences: list[str], vectors: NDArray[np.float32]) -> list[int]:
    """Places of the sentences to keep: the most telling first, until the room is used."""
    worth = vectors @ vectors.mean(axis=0)
    likeness = vectors @ vectors.T
    chosen: list[int] = []
    room = KEPT
    while True:
        left = [place for place, text in enumerate(sentences) if place not in chosen and len(text) <= room]
        if not left:
            return chosen or [int(np.argmax(worth))]
        penalty = likeness[:, chosen].max(axis=1) if chosen else np.zeros(len(sentences))
        best = max(left, key=lambda place: worth[place] - REDUNDANCY * penalty[place])
        chosen.append(best)
        room -= len(sentences[best]) + 1


def in_context(summary: str, parent: str) -> str:
    """What is embedded of a reply: what it answers, then itself. "I agree" alone says nothing."""
    return f"{extract(parent)[: KEPT // 2]}\n{summary}" if parent else summary

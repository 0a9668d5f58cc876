"""Measure the embedded text plan: embedding, heads, and both together, on texts made here."""

import json
import time
from argparse import ArgumentParser
from collections.abc import Callable
from typing import Any

import numpy as np
from django.core.management.base import BaseCommand

from moderation.grox import screening
from moderation.grox.documents import documents_of
from moderation.grox.embedders import minilm

WORDS = (
    "morning",
    "garden",
    "river",
    "model",
    "coffee",
    "match",
    "paper",
    "music",
    "city",
    "light",
    "winter",
    "recipe",
)
WORDS_PER_TEXT = 20
SINGLES = 40
BATCH = 64


class Command(BaseCommand):
    help = "Time the embedded text plan per post and in batches."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--posts", type=int, default=512)
        parser.add_argument("--json", action="store_true", dest="as_json")

    def handle(self, *, posts: int, as_json: bool, **_: Any) -> None:
        texts = make_texts(posts)
        judge(texts[:BATCH])  # loads the models
        figures = {
            "single_post": percentiles([timed(judge, [text]) for text in texts[:SINGLES]]),
            "batch": throughput(judge, texts),
            "embedding": throughput(minilm.embed, texts),
        }
        if as_json:
            self.stdout.write(json.dumps(figures))
            return
        for name, values in figures.items():
            self.stdout.write(f"{name:12} " + "  ".join(f"{key} {value:.1f}" for key, value in values.items()))


def make_texts(number: int) -> list[str]:
    """Distinct texts of the length of a usual post."""
    draw = np.random.default_rng(7)
    return [" ".join(draw.choice(WORDS, WORDS_PER_TEXT)) for _ in range(number)]


def judge(texts: list[str]) -> None:
    """Normalise, detect language, embed, run all heads, apply the policies."""
    documents = documents_of(range(len(texts)), texts)
    for document, scores in zip(documents, screening.score(documents), strict=True):
        screening.policies_violated(document, scores)


def timed(work: Callable[[list[str]], object], texts: list[str]) -> float:
    """Milliseconds."""
    started = time.perf_counter()
    work(texts)
    return 1000 * (time.perf_counter() - started)


def percentiles(milliseconds: list[float]) -> dict[str, float]:
    p50, p95, p99 = np.percentile(milliseconds, [50, 95, 99])
    return {"p50_ms": float(p50), "p95_ms": float(p95), "p99_ms": float(p99)}


def throughput(work: Callable[[list[str]], object], texts: list[str]) -> dict[str, float]:
    """Batches of 64: milliseconds a batch, and posts a second over all."""
    batches = [texts[start : start + BATCH] for start in range(0, len(texts), BATCH)]
    times = [timed(work, batch) for batch in batches]
    return {**percentiles(times), "posts_per_s": 1000 * len(texts) / sum(times)}

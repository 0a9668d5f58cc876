"""Measure the embedded text plan: embedding, heads, and both together, on texts made here; and a worker at work."""

import json
import time
from argparse import ArgumentParser
from collections.abc import Callable
from typing import Any

import numpy as np
from django.core.management.base import BaseCommand

from moderation.grox import bench, screening
from moderation.grox.documents import documents_of
from moderation.grox.embedders import minilm
from xsocial.kernel.arguments import whole

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
LATENCIES = 40


class Command(BaseCommand):
    help = "Time the embedded text plan per post and in batches, and with --backlog a real worker."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--posts", type=whole(), default=512)
        parser.add_argument(
            "--backlog",
            type=whole(0),
            default=0,
            help="also post this many to a worker of its own, in this database, and drain them; removed afterwards",
        )
        parser.add_argument("--json", action="store_true", dest="as_json")

    def handle(self, *, posts: int, backlog: int, as_json: bool, **_: Any) -> None:
        texts = make_texts(posts)
        judge(texts[:BATCH])  # loads the models
        figures = {
            "single_post": percentiles([timed(judge, [text]) for text in texts[:SINGLES]]),
            "batch": throughput(judge, texts),
            "embedding": throughput(minilm.embed, texts),
        }
        if backlog:
            figures |= at_work(backlog)
        if as_json:
            self.stdout.write(json.dumps(figures))
            return
        for name, values in figures.items():
            self.stdout.write(f"{name:12} " + "  ".join(f"{key} {value:.1f}" for key, value in values.items()))


def at_work(backlog: int) -> dict[str, dict[str, float]]:
    """From a post to its label, and a backlog drained, by a real worker of one process."""
    texts = make_texts(1 + LATENCIES + backlog)
    with bench.author() as account, bench.worker() as pid, bench.dispatcher() as dispatching:
        bench.warm_up(account, texts[0])
        latencies = bench.until_labelled(account, texts[1 : 1 + LATENCIES])
        drained = bench.drain(account, texts[1 + LATENCIES :], dispatching, pid)
        peak_mb = bench.peak_mb(pid)
    seconds = drained.seconds
    return {
        "post_to_label": percentiles(latencies),
        "backlog": {"posts": backlog, "seconds": seconds, "posts_per_s": backlog / seconds, "peak_mb": peak_mb},
        "memory_mb": {f"{tenth}0%": held for tenth, held in enumerate(drained.memory_mb, 1)},
    }


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

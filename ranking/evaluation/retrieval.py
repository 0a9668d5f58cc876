"""What the two towers find: later likes, fresh posts with and without their content, and the store's accuracy."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import torch

from ranking.evaluation.slices import MINUTE_MS
from ranking.models import ModelVersion
from ranking.retrieval import vector_store
from ranking.retrieval.window import RetrievalWindow
from ranking.serving.checkpoint import Checkpoint
from ranking.training import metrics
from ranking.training.batching import context_batch
from ranking.training.dataset import Dataset, Examples
from ranking.training.logs import NEGATIVES_HOURS
from ranking.training.retrieval import HOUR_MS, encode, positives
from ranking.types import Floats, Int64s

KS = (100, 500, 1000)
MAX_REQUESTS = 400
FRESH_MS = 60 * MINUTE_MS
STORE_QUERIES = 40


def without_content(dataset: Dataset) -> Dataset:
    """The same posts as if none had a content embedding."""
    posts = dataclasses.replace(dataset.posts, content=np.zeros_like(dataset.posts.content))
    return dataclasses.replace(dataset, posts=posts)


def found_posts(checkpoint: Checkpoint, dataset: Dataset, examples: Examples, *, seed: int = 0) -> dict[str, Any]:
    """Recall of later likes among the posts of the two days before the request, by exact search.

    `fresh` counts likes of posts under one hour old alone, among the same posts.
    """
    likes = positives(examples)
    strong = likes.weights == 1.0
    asked = np.random.default_rng(seed).permutation(np.unique(likes.requests[strong]))[:MAX_REQUESTS]
    ranks, fresh, shown, window = _ranks(checkpoint, dataset, examples, asked)
    bare = _ranks(checkpoint, without_content(dataset), examples, asked)[1]
    authors = dataset.posts.author_ids
    everyone, number = np.unique(authors[window], return_inverse=True)
    places = np.bincount(np.searchsorted(everyone, authors[shown]), minlength=len(everyone))
    return {
        "requests": len(asked),
        "likes": len(ranks),
        **{f"recall@{k}": _share(ranks, k) for k in KS},
        "fresh": {
            "likes": len(fresh),
            "recall@100": _share(fresh, 100),
            "recall@100_without_content": _share(bare, 100),
        },
        "coverage@100": len(np.unique(shown)) / max(len(number), 1),
        "author_gini@100": metrics.gini(places),
    }


def _share(ranks: Int64s, k: int) -> float | None:
    return float((ranks < k).mean()) if len(ranks) else None


@torch.inference_mode()
def _ranks(
    checkpoint: Checkpoint, dataset: Dataset, examples: Examples, asked: Int64s
) -> tuple[Int64s, Int64s, Int64s, Int64s]:
    """Ranks (from 0) of the likes and of the fresh ones; the posts found first, and all that could be."""
    model, tables, created = checkpoint.model, checkpoint.tables, dataset.posts.created_ms
    vectors = encode(model, tables, dataset, np.arange(len(dataset.posts))).numpy()
    likes = positives(examples)
    ranks, fresh, shown = [], [], []
    seen = np.zeros(len(dataset.posts), dtype=bool)
    for request in asked.tolist():
        block = examples.take(np.array([request]))
        at_ms = block.at_ms[0]
        window = np.flatnonzero((created < at_ms) & (created >= at_ms - NEGATIVES_HOURS * HOUR_MS))
        user = model.encode_user(context_batch(dataset, block, model.config), tables).vectors[0].numpy()
        scores = vectors[window] @ user
        wanted = likes.posts[(likes.requests == request) & (likes.weights == 1.0)]
        wanted = np.intersect1d(wanted, window)
        place = (scores[None, :] > scores[np.searchsorted(window, wanted)][:, None]).sum(axis=1)
        ranks += place.tolist()
        fresh += place[at_ms - created[wanted] < FRESH_MS].tolist()
        shown.append(window[np.argsort(-scores)[: KS[0]]])
        seen[window] = True
    return (
        np.array(ranks, dtype=np.int64),
        np.array(fresh, dtype=np.int64),
        np.concatenate(shown) if shown else np.zeros(0, dtype=np.int64),
        np.flatnonzero(seen),
    )


def store_recall(
    version: ModelVersion, checkpoint: Checkpoint, dataset: Dataset, examples: Examples
) -> dict[str, float]:
    """Share of the exact nearest posts that the durable store's index finds too; empty without vectors."""
    stored = vector_store.changes(
        version.pk, since=version.created_at, created_after_ms=0, dimensions=checkpoint.model.config.emb_size
    )
    active = stored.is_active
    if not active.any() or not len(examples):
        return {}
    exact = RetrievalWindow(checkpoint.model.config.emb_size)
    exact.put(stored.ids[active], stored.created_ms[active], stored.vectors[active])
    nobody = np.zeros(0, dtype=np.int64)
    block = examples.take(slice(max(len(examples) - STORE_QUERIES, 0), None))
    with torch.inference_mode():
        users: Floats = checkpoint.model.encode_user(
            context_batch(dataset, block, checkpoint.model.config), checkpoint.tables
        ).vectors.numpy()
    out = {}
    for k in KS:
        shares = []
        for user in users:
            wanted, _ = exact.search(user, k=k, newer_than_ms=0, exclude_ids=nobody)
            found, _ = vector_store.search(version.pk, user, k=k, newer_than_ms=0, exclude_ids=nobody)
            shares.append(np.isin(wanted, found).mean())
        out[f"store_recall@{k}"] = float(np.mean(shares))
    return out

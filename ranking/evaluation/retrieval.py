"""What the two towers find: later likes, those of hardly known posts too, and the store's accuracy."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from ranking.evaluation import cold
from ranking.models import ModelVersion
from ranking.retrieval import vector_store
from ranking.retrieval.window import RetrievalWindow
from ranking.serving.checkpoint import Checkpoint
from ranking.training import metrics
from ranking.training.batching import batches, context_batch
from ranking.training.dataset import Dataset, Examples
from ranking.training.logs import NEGATIVES_HOURS
from ranking.training.retrieval import HOUR_MS, Positives, encode, positives
from ranking.types import Bools, Floats, Int64s

KS = (100, 500, 1000)
MAX_REQUESTS = 2000
BATCH = 64
STORE_QUERIES = 40


@dataclass(frozen=True)
class Ranks:
    """Rank (from 0) of each like among the posts of its request's two days, and the posts found first."""

    ranks: Int64s  # [likes]
    shown: Int64s
    window: Int64s  # all posts that could be found


def found_posts(
    checkpoint: Checkpoint, dataset: Dataset, examples: Examples, feature_names: tuple[str, ...], *, seed: int = 0
) -> dict[str, Any]:
    """Recall of later likes among the posts of the two days before the request, by exact search.

    `cold` counts likes of posts alone of which little was known (`cold.masks`, by the examples' features),
    among the same posts, with their content and without.
    """
    likes = positives(examples)
    likes = likes.take(_is_in_window(dataset, examples, likes) & (likes.weights == 1.0))
    asked = np.random.default_rng(seed).permutation(np.unique(likes.requests))[:MAX_REQUESTS]
    likes = likes.take(np.isin(likes.requests, asked))
    found = _ranks(checkpoint, dataset, examples, likes)
    bare = _ranks(checkpoint, cold.without_content(dataset), examples, likes)
    authors = dataset.posts.author_ids
    everyone, number = np.unique(authors[found.window], return_inverse=True)
    places = np.bincount(np.searchsorted(everyone, authors[found.shown]), minlength=len(everyone))
    return {
        "requests": len(asked),
        "likes": len(likes),
        **{f"recall@{k}": float((found.ranks < k).mean()) if len(likes) else None for k in KS},
        "cold": {
            name: cold.recall(likes.requests, found.ranks, bare.ranks, mask[likes.requests, likes.columns], k=KS[0])
            for name, mask in cold.masks(dataset, examples, feature_names).items()
        },
        "coverage@100": len(np.unique(found.shown)) / max(len(number), 1),
        "author_gini@100": metrics.gini(places),
    }


def _is_in_window(dataset: Dataset, examples: Examples, likes: Positives) -> Bools:
    age = examples.at_ms[likes.requests] - dataset.posts.created_ms[likes.posts]
    return (age > 0) & (age <= NEGATIVES_HOURS * HOUR_MS)


@torch.inference_mode()
def _ranks(checkpoint: Checkpoint, dataset: Dataset, examples: Examples, likes: Positives) -> Ranks:
    model, tables, created = checkpoint.model, checkpoint.tables, dataset.posts.created_ms
    vectors = encode(model, tables, dataset, np.arange(len(dataset.posts))).numpy()
    requests, starts = np.unique(likes.requests, return_index=True)
    users = [
        model.encode_user(context_batch(dataset, block, model.config), tables).vectors.numpy()
        for block in batches(examples.take(requests), size=BATCH)
    ]
    ranks, shown = [np.zeros(0, np.int64)], [np.zeros(0, np.int64)]
    seen = np.zeros(len(dataset.posts), dtype=bool)
    for at_ms, user, wanted in zip(
        examples.at_ms[requests], itertools.chain(*users), np.split(likes.posts, starts[1:]), strict=True
    ):
        window = np.flatnonzero((created < at_ms) & (created >= at_ms - NEGATIVES_HOURS * HOUR_MS))
        scores = vectors[window] @ user
        ranks.append((scores[None, :] > (vectors[wanted] @ user)[:, None]).sum(axis=1))
        shown.append(window[np.argsort(-scores)[: KS[0]]])
        seen[window] = True
    return Ranks(np.concatenate(ranks), np.concatenate(shown), np.flatnonzero(seen))


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

"""Trains the two towers: sampled softmax of what was liked against other likes and random recent posts.

    s = (u . c) / tau - log q(c)        q: how often c stands among the likes (in-batch negatives only)

The same post, and posts the same person also liked, never count as negatives.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from ranking.heads import NEGATIVE, STRONG_POSITIVE, WEAK_POSITIVE
from ranking.phoenix.batch import TrainableTables
from ranking.phoenix.config import PhoenixConfig
from ranking.phoenix.recsys_retrieval_model import PhoenixRetrieval
from ranking.training.dataset import Dataset, Examples, context_batch
from ranking.training.optimise import Optimisers, Progress, seed_everything
from ranking.training.presets import TrainingSettings
from ranking.types import Floats, Int64s

WEAK_SHARE = 0.3
MAX_POSITIVES = 256
HOUR_MS = 3_600_000
MASKED = -1e9
LOG_TEMPERATURE_RANGE = (-4.0, 0.0)


@dataclass(frozen=True)
class Positives:
    """Liked posts: the request they belong to, the post's index, and a weight for weaker signs."""

    requests: Int64s
    posts: Int64s
    weights: Floats

    def __len__(self) -> int:
        return len(self.requests)


def positives(examples: Examples) -> Positives:
    """A like and its kin weigh 1, a look or a click less; negative feedback cancels both."""
    bits = np.where(examples.valid, examples.label_bits, 0)
    strong = ((bits & STRONG_POSITIVE) != 0) & ((bits & NEGATIVE) == 0)
    weak = ((bits & WEAK_POSITIVE) != 0) & ((bits & NEGATIVE) == 0) & ~strong
    requests, columns = np.nonzero(strong | weak)
    weights = np.where(strong, 1.0, WEAK_SHARE)[requests, columns].astype(np.float32)
    return Positives(requests, examples.posts[requests, columns], weights)


def liked_by_user(examples: Examples, found: Positives) -> dict[int, set[int]]:
    """Everything each person liked in the period, for the false-negative mask."""
    liked: dict[int, set[int]] = {}
    users = examples.user_ids[found.requests].tolist()
    for user, post in zip(users, found.posts.tolist(), strict=True):
        liked.setdefault(user, set()).add(post)
    return liked


def _encode(model: PhoenixRetrieval, tables: TrainableTables, dataset: Dataset, index: Int64s) -> Tensor:
    posts = dataset.posts
    return model.encode_posts(
        torch.from_numpy(posts.ids[index]),
        torch.from_numpy(posts.author_ids[index]),
        tables,
        content=torch.from_numpy(posts.content[index]),
    )


def _recent_negatives(dataset: Dataset, at_ms: Int64s, count: int, rng: np.random.Generator) -> Int64s:
    """Random posts made in the two days before the batch's requests."""
    created = dataset.posts.created_ms
    order = np.argsort(created, kind="stable")
    low = np.searchsorted(created[order], at_ms.min() - 48 * HOUR_MS)
    high = max(int(np.searchsorted(created[order], at_ms.max())), int(low) + 1)
    return order[rng.integers(low, high, count) % len(order)]


def softmax_loss(scores: Tensor, *, num_positives: int, weights: Tensor, log_q: Tensor, is_false: Tensor) -> Tensor:
    """Cross-entropy of column i for row i; columns beyond `num_positives` are random negatives."""
    corrected = scores.clone()
    corrected[:, :num_positives] = scores[:, :num_positives] - log_q
    corrected = corrected.masked_fill(is_false, MASKED)
    entropy = F.cross_entropy(corrected, torch.arange(num_positives), reduction="none")
    return (entropy * weights).sum() / weights.sum()


def _false_negatives(users: Int64s, columns: Int64s, liked: dict[int, set[int]]) -> Tensor:
    """Columns [B, B + N] that are no negatives for a row: liked by the same person."""
    by_user = {user: np.isin(columns, list(liked[user])) for user in np.unique(users).tolist()}
    mask = torch.from_numpy(np.stack([by_user[user] for user in users.tolist()]))
    mask[torch.arange(len(users)), torch.arange(len(users))] = False
    return mask


def train_retrieval(
    dataset: Dataset,
    examples: Examples,
    config: PhoenixConfig,
    settings: TrainingSettings,
    *,
    quiet: bool = False,
) -> tuple[PhoenixRetrieval, TrainableTables, list[float]]:
    """Model, tables and the loss of every step."""
    rng = seed_everything(settings.seed)
    model = PhoenixRetrieval(config)
    tables = TrainableTables(config, item_dropout=settings.item_dropout)
    found = positives(examples)
    liked = liked_by_user(examples, found)
    frequency = np.bincount(found.posts, minlength=len(dataset.posts)) / max(len(found), 1)
    optimisers = Optimisers(model, tables, settings)
    requests = np.unique(found.requests)
    steps = settings.epochs * -(-len(requests) // settings.batch_requests)
    progress = Progress(max(steps, 1), settings.minutes, "retrieval", quiet)
    for _ in progress.until_done():
        order = rng.permutation(requests)
        for start in range(0, len(order), settings.batch_requests):
            chosen = _positives_of(found, order[start : start + settings.batch_requests], rng)
            asked, row = np.unique(found.requests[chosen], return_inverse=True)
            block = examples.take(asked)
            negatives = _recent_negatives(dataset, block.at_ms, settings.random_negatives, rng)
            columns = np.concatenate([found.posts[chosen], negatives])
            # One context serves all the posts its request liked.
            users = model.encode_user(context_batch(dataset, block, config), tables).vectors
            scores = users[torch.from_numpy(row)] @ _encode(model, tables, dataset, columns).T
            value = softmax_loss(
                scores / model.log_temperature.exp(),
                num_positives=len(chosen),
                weights=torch.from_numpy(found.weights[chosen]),
                log_q=torch.from_numpy(np.log(frequency[found.posts[chosen]])).float(),
                is_false=_false_negatives(block.user_ids[row], columns, liked),
            )
            optimisers.step(value, progress.share)
            with torch.no_grad():
                model.log_temperature.clamp_(*LOG_TEMPERATURE_RANGE)
            progress.update(float(value.detach()))
            if progress.share >= 1.0:
                break
        if not len(order):
            break
    return model.eval(), tables.eval(), progress.losses


def _positives_of(found: Positives, requests: Int64s, rng: np.random.Generator) -> Int64s:
    """At most MAX_POSITIVES of the likes of some requests."""
    chosen = np.flatnonzero(np.isin(found.requests, requests))
    if len(chosen) > MAX_POSITIVES:
        chosen = np.sort(rng.choice(chosen, MAX_POSITIVES, replace=False))
    return chosen


@torch.inference_mode()
def recall(
    model: PhoenixRetrieval,
    tables: TrainableTables,
    dataset: Dataset,
    examples: Examples,
    *,
    ks: tuple[int, ...] = (100, 500),
    max_requests: int = 500,
    seed: int = 0,
) -> dict[str, float]:
    """Share of later likes found among the posts of the 48 hours before the request."""
    found = positives(examples)
    keep = found.weights == 1.0
    rng = np.random.default_rng(seed)
    requests = np.unique(found.requests[keep])
    requests = rng.permutation(requests)[:max_requests]
    vectors = _encode(model, tables, dataset, np.arange(len(dataset.posts))).numpy()
    hits = dict.fromkeys(ks, 0)
    total, window = 0, 0
    for request in requests:
        block = examples.take(np.array([request]))
        at_ms = block.at_ms[0]
        created = dataset.posts.created_ms
        candidates = np.flatnonzero((created < at_ms) & (created >= at_ms - 48 * HOUR_MS))
        user = model.encode_user(context_batch(dataset, block, model.config), tables).vectors[0]
        order = candidates[np.argsort(-(vectors[candidates] @ user.numpy()))]
        targets = np.intersect1d(found.posts[keep & (found.requests == request)], candidates)
        total, window = total + len(targets), window + len(candidates)
        for k in ks:
            hits[k] += int(np.isin(targets, order[:k]).sum())
    out = {f"recall@{k}": hits[k] / max(total, 1) for k in ks}
    return {**out, "targets": total, "mean_window": window / max(len(requests), 1)}

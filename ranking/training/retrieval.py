"""Trains the two towers: sampled softmax of what was liked against other likes and random recent posts.

    s = (u . c) / tau - log n(c)        n(c): how often c is expected among the columns of a batch

For the likes of others n is batch size times the share of c among all likes, counted as they come; for
random posts it is their number over that of the posts drawn from. Without it, popular posts, which stand
in many batches, would be punished for that. The same post, and posts the same person also liked, never
count as negatives.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from ranking.heads import NEGATIVE, STRONG_POSITIVE, WEAK_POSITIVE
from ranking.phoenix.batch import Tables, TrainableTables
from ranking.phoenix.config import PhoenixConfig
from ranking.phoenix.recsys_retrieval_model import PhoenixRetrieval
from ranking.training import distributed
from ranking.training.batching import context_batch, moved, shuffled
from ranking.training.dataset import Dataset, Examples
from ranking.training.logs import NEGATIVES_HOURS
from ranking.training.loop import Fit
from ranking.training.optimise import Optimisers
from ranking.training.presets import TrainingSettings
from ranking.training.ranker import load_parts
from ranking.types import Bools, Floats, Int64s

WEAK_SHARE = 0.3
MAX_POSITIVES = 256
HOUR_MS = 3_600_000
MASKED = -1e9
LOG_TEMPERATURE_RANGE = (-4.0, 0.0)
COUNTER_SLOTS = 1 << 18
# Knuth's multiplier for 64 bits, as a signed number.
COUNTER_MULTIPLIER = -7046029254386353131


@dataclass(frozen=True)
class Positives:
    """Liked posts: the request they belong to and the column there, the post's index, and a weight for weaker
    signs."""

    requests: Int64s
    columns: Int64s
    posts: Int64s
    weights: Floats

    def __len__(self) -> int:
        return len(self.requests)

    def take(self, index: Int64s | Bools) -> Positives:
        return Positives(*(column[index] for column in vars(self).values()))


def positives(examples: Examples) -> Positives:
    """A like and its kin weigh 1, a look or a click less; negative feedback cancels both."""
    bits = np.where(examples.valid, examples.label_bits, 0)
    strong = ((bits & STRONG_POSITIVE) != 0) & ((bits & NEGATIVE) == 0)
    weak = ((bits & WEAK_POSITIVE) != 0) & ((bits & NEGATIVE) == 0) & ~strong
    requests, columns = np.nonzero(strong | weak)
    weights = np.where(strong, 1.0, WEAK_SHARE)[requests, columns].astype(np.float32)
    return Positives(requests, columns, examples.posts[requests, columns], weights)


def liked_by_user(examples: Examples, found: Positives) -> dict[int, set[int]]:
    """Everything each person liked in the period, for the false-negative mask."""
    liked: dict[int, set[int]] = {}
    users = examples.user_ids[found.requests].tolist()
    for user, post in zip(users, found.posts.tolist(), strict=True):
        liked.setdefault(user, set()).add(post)
    return liked


def encode(model: PhoenixRetrieval, tables: Tables, dataset: Dataset, index: Int64s) -> Tensor:
    """Unit vectors [N, D] of posts given by index."""
    posts, device = dataset.posts, model.log_temperature.device
    return model.encode_posts(
        torch.from_numpy(posts.ids[index]).to(device),
        torch.from_numpy(posts.author_ids[index]).to(device),
        tables,
        content=torch.from_numpy(posts.content[index]).to(device),
    )


def softmax_loss(scores: Tensor, *, weights: Tensor, log_expected: Tensor, is_false: Tensor) -> Tensor:
    """Cross-entropy of column i for row i of [B, N]; columns beyond B are random negatives."""
    corrected = (scores - log_expected).masked_fill(is_false, MASKED)
    wanted = torch.arange(len(scores), device=scores.device)
    entropy = F.cross_entropy(corrected, wanted, reduction="none")
    return (entropy * weights).sum() / weights.sum()


def _false_negatives(users: Int64s, columns: Int64s, liked: dict[int, set[int]]) -> Tensor:
    """Columns [B, B + N] that are no negatives for a row: liked by the same person."""
    by_user = {user: np.isin(columns, list(liked[user])) for user in np.unique(users).tolist()}
    mask = torch.from_numpy(np.stack([by_user[user] for user in users.tolist()]))
    mask[torch.arange(len(users)), torch.arange(len(users))] = False
    return mask


class HashedCounter:
    """How often each post was a positive, counted in a table of fixed size by a hash of its id.

    Posts that share a slot are counted together: q is then too high for both, never too low.
    """

    def __init__(self, slots: int = COUNTER_SLOTS) -> None:
        self.counts = torch.zeros(slots, dtype=torch.int64)

    def add(self, post_ids: Int64s) -> None:
        more = torch.bincount(self._slot(post_ids), minlength=len(self.counts))
        self.counts += distributed.total(more)

    def log_share(self, post_ids: Int64s) -> Tensor:
        """log q of each post: its share of all positives counted so far."""
        counted = self.counts[self._slot(post_ids)].clamp(min=1)
        return (counted / self.counts.sum().clamp(min=1)).log()

    def _slot(self, post_ids: Int64s) -> Tensor:
        with np.errstate(over="ignore"):
            mixed = (post_ids * np.int64(COUNTER_MULTIPLIER)).view(np.uint64) >> np.uint64(32)
        return torch.from_numpy((mixed % np.uint64(len(self.counts))).astype(np.int64))


class RetrievalTrainer:
    """Two towers in training. A model given at the start goes on from where it was."""

    kind = "retrieval"

    def __init__(self, config: PhoenixConfig, settings: TrainingSettings) -> None:
        torch.manual_seed(settings.seed)
        self.config = config
        self.settings = settings
        self.device = distributed.device()
        self.model = PhoenixRetrieval(config).to(self.device)
        self.tables = TrainableTables(config, item_dropout=settings.item_dropout)
        self.optimisers = Optimisers(self.model, self.tables, settings)
        self.counter = HashedCounter()
        self._is_fresh = True

    def begin(self, dataset: Dataset, examples: Examples, seed: tuple[int, ...]) -> list[Int64s]:
        self._dataset, self._examples = dataset, examples
        self._found = positives(examples)
        self._liked = liked_by_user(examples, self._found)
        if self._is_fresh and self.config.content_match:
            self.model.content_match.fit(torch.from_numpy(dataset.posts.content))
        self._is_fresh = False
        self._by_age = np.argsort(dataset.posts.created_ms, kind="stable")
        requests = np.unique(self._found.requests)
        size, history = self.settings.batch_requests, self.config.history_seq_len
        asked = examples.take(requests)
        return [requests[index] for index in shuffled(asked, size=size, history=history, seed=seed)]

    def loss(self, batch: Int64s, rng: np.random.Generator) -> Tensor:
        dataset, found = self._dataset, self._found
        chosen = _positives_of(found, batch, rng)
        asked, row = np.unique(found.requests[chosen], return_inverse=True)
        block = self._examples.take(asked)
        liked = dataset.posts.ids[found.posts[chosen]]
        self.counter.add(liked)
        random, log_random = self._recent(block.at_ms, rng)
        columns = np.concatenate([found.posts[chosen], random])
        log_liked = self.counter.log_share(liked) + float(np.log(len(chosen)))
        # One context serves all the posts its request liked.
        context = moved(context_batch(dataset, block, self.config), self.device)
        users = self.model.encode_user(context, self.tables).vectors
        posts = encode(self.model, self.tables, dataset, columns)
        scores = users[torch.from_numpy(row).to(self.device)] @ posts.T
        temperature = self.model.log_temperature.clamp(*LOG_TEMPERATURE_RANGE).exp()
        return softmax_loss(
            scores / temperature,
            weights=torch.from_numpy(found.weights[chosen]).to(self.device),
            log_expected=torch.cat([log_liked, torch.full((len(random),), log_random)]).to(self.device),
            is_false=_false_negatives(block.user_ids[row], columns, self._liked).to(self.device),
        )

    def _recent(self, at_ms: Int64s, rng: np.random.Generator) -> tuple[Int64s, float]:
        """Random posts made in the two days before the batch's requests, and the log of how often each is
        expected among them."""
        created = self._dataset.posts.created_ms[self._by_age]
        low = np.searchsorted(created, at_ms.min() - NEGATIVES_HOURS * HOUR_MS)
        high = max(int(np.searchsorted(created, at_ms.max())), int(low) + 1)
        count = self.settings.random_negatives
        drawn = self._by_age[rng.integers(low, high, count) % len(created)]
        return drawn, float(np.log(count / (high - low)))

    def end(self) -> None:
        del self._dataset, self._examples, self._found, self._liked, self._by_age

    def state(self) -> dict[str, Tensor]:
        return {
            **{f"model/{name}": tensor for name, tensor in self.model.state_dict().items()},
            **{f"tables/{name}": tensor for name, tensor in self.tables.state_dict().items()},
            **{f"optimiser/{name}": tensor for name, tensor in self.optimisers.state().items()},
            "counter": self.counter.counts,
        }

    def load_state(self, tensors: dict[str, Tensor]) -> None:
        load_parts(self.model, self.tables, self.optimisers, tensors)
        self.counter.counts = tensors["counter"].clone()
        self._is_fresh = False


def train_retrieval(
    dataset: Dataset,
    examples: Examples,
    config: PhoenixConfig,
    settings: TrainingSettings,
    *,
    quiet: bool = False,
) -> tuple[PhoenixRetrieval, TrainableTables, list[float]]:
    """Model, tables and the loss of every step, trained on examples in memory."""
    trainer = RetrievalTrainer(config, settings)
    losses = Fit([trainer], [(dataset, examples)], settings, quiet=quiet).run()
    return trainer.model.eval(), trainer.tables.eval(), losses["retrieval"]


def _positives_of(found: Positives, requests: Int64s, rng: np.random.Generator) -> Int64s:
    """At most MAX_POSITIVES of the likes of some requests."""
    chosen = np.flatnonzero(np.isin(found.requests, requests))
    if len(chosen) > MAX_POSITIVES:
        chosen = np.sort(rng.choice(chosen, MAX_POSITIVES, replace=False))
    return chosen


@torch.inference_mode()
def recall(
    model: PhoenixRetrieval,
    tables: Tables,
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
    vectors = encode(model, tables, dataset, np.arange(len(dataset.posts))).numpy()
    hits = dict.fromkeys(ks, 0)
    total, window = 0, 0
    for request in requests:
        block = examples.take(np.array([request]))
        at_ms = block.at_ms[0]
        created = dataset.posts.created_ms
        candidates = np.flatnonzero((created < at_ms) & (created >= at_ms - NEGATIVES_HOURS * HOUR_MS))
        user = model.encode_user(context_batch(dataset, block, model.config), tables).vectors[0]
        order = candidates[np.argsort(-(vectors[candidates] @ user.numpy()))]
        targets = np.intersect1d(found.posts[keep & (found.requests == request)], candidates)
        total, window = total + len(targets), window + len(candidates)
        for k in ks:
            hits[k] += int(np.isin(targets, order[:k]).sum())
    out = {f"recall@{k}": hits[k] / max(total, 1) for k in ks}
    return {**out, "targets": total, "mean_window": window / max(len(requests), 1)}

"""Phoenix retrieval on item sequences: every prefix of a window is an example of one forward pass.

The user tower is causal and its pooling runs from the oldest token on, so the vector of a prefix is a
running mean over the same outputs (older ones fading). All items are negatives while there are few, a sample otherwise.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from ranking.benchmarking.fitting import fit, seeded
from ranking.benchmarking.interactions import ACTIONS
from ranking.benchmarking.known import Known
from ranking.benchmarking.protocols import Requests
from ranking.benchmarking.sequences import recent_histories, softmax_columns, training_windows
from ranking.phoenix.batch import Context, TrainableTables
from ranking.phoenix.config import EntityHash, PhoenixConfig
from ranking.phoenix.recsys_retrieval_model import PhoenixRetrieval, normalise
from ranking.training.presets import AUTHOR_HASH, ITEM_HASH, USER_HASH, TrainingSettings
from ranking.types import Floats, Int64s

HISTORY_FEATURES = ("log_gap_hours", "rating")
# Each older token counts for so much less in the user vector: what comes next depends on what came last.
POOLING_DECAY = 0.8


@dataclass(frozen=True)
class Sizes:
    """Width, depth and length of history of a model."""

    width: int = 64
    layers: int = 2
    history: int = 50


def config_for(known: Known, kind: str, sizes: Sizes, features: tuple[str, ...] = ()) -> PhoenixConfig:
    """An `xsocial` configuration for a table without authors or content."""
    users, items = 2 * known.table.num_users + 2, 4 * known.num_items + 2
    return PhoenixConfig(
        model_type=kind,
        emb_size=sizes.width,
        num_layers=sizes.layers,
        num_heads=2,
        key_size=sizes.width // 2,
        history_seq_len=sizes.history,
        candidate_seq_len=64,
        num_actions=len(ACTIONS),
        user_hash=EntityHash(*USER_HASH, users),
        item_hash=EntityHash(*ITEM_HASH, items),
        author_hash=EntityHash(*AUTHOR_HASH, 2),
        product_surface_vocab_size=1,
        right_anchored_rope=kind == "ranker",
        pooling_decay=POOLING_DECAY if kind == "retrieval" else 1.0,
        history_feature_names=HISTORY_FEATURES,
        candidate_feature_names=features,
        action_names=ACTIONS,
    )


def context(known: Known, rows: Int64s, users: Int64s) -> Context:
    """Histories of table rows [B, S], -1 for padding; gaps are to the interaction before."""
    table, valid = known.table, rows >= 0
    at = np.where(valid, table.at[rows], 0)
    gap = np.where(valid[:, 1:], np.diff(at, axis=1), 0)
    gap = np.concatenate([np.zeros((len(rows), 1)), gap], axis=1)
    features = np.stack([np.log1p(gap / 3600) / 3, table.ratings[rows] / 5], axis=-1) * valid[..., None]
    actions = np.eye(len(ACTIONS), dtype=np.float32)[table.actions[rows]] * valid[..., None]
    items = np.where(valid, table.items[rows] + 1, 0)
    return Context(
        user_ids=torch.from_numpy(users + 1),
        post_ids=torch.from_numpy(items),
        author_ids=torch.zeros(items.shape, dtype=torch.int64),
        actions=torch.from_numpy(actions.astype(np.float32)),
        surface=torch.zeros(items.shape, dtype=torch.int64),
        features=torch.from_numpy(features.astype(np.float32)),
    )


def prefix_vectors(model: PhoenixRetrieval, asked: Context, tables: TrainableTables) -> Tensor:
    """User vectors [B, 1 + S, D]: place t has read the user and the first t history items."""
    tokens, valid = model.context_tokens(asked, tables)
    positions = torch.arange(tokens.shape[1]).expand(len(tokens), -1).float()
    x, _ = model.transformer.context(tokens, positions, valid)
    return normalise(prefix_pool(x, valid, model.config.pooling_decay))[0]


def prefix_pool(x: Tensor, valid: Tensor, decay: float) -> Tensor:
    """Pooled outputs [B, T, D] of every prefix of left-aligned tokens."""
    place = torch.arange(x.shape[1])
    distance = place[:, None] - place[None, :]
    weights = torch.where(distance >= 0, decay ** distance.clamp(min=0).float(), 0.0) * valid[:, None, :]
    return weights @ x / weights.sum(-1, keepdim=True).clamp(min=1e-6)


class Towers:
    """Retrieval trained on what is known, with every item as a negative (or a sample of many)."""

    def __init__(self, known: Known, settings: TrainingSettings, sizes: Sizes, *, quiet: bool = False) -> None:
        seeded(settings.seed)
        self.known = known
        self.config = config_for(known, "retrieval", sizes)
        self.model = PhoenixRetrieval(self.config)
        self.tables = TrainableTables(self.config)
        self._negatives = np.random.default_rng(settings.seed)
        windows = training_windows(known, sizes.history)
        users = known.table.users[windows[:, 0]]
        fit(
            self.model,
            self.tables,
            lambda chosen: self._loss(windows[chosen], users[chosen]),
            len(windows),
            settings,
            label="retrieval",
            quiet=quiet,
        )
        with torch.inference_mode():
            self.vectors = self._encode(torch.arange(known.num_items))

    def _encode(self, items: Tensor) -> Tensor:
        return self.model.encode_posts(items + 1, torch.zeros_like(items), self.tables)

    def _loss(self, rows: Int64s, users: Int64s) -> Tensor:
        rows = rows[:, : int((rows >= 0).sum(1).max())]
        vectors = prefix_vectors(self.model, context(self.known, rows[:, :-1], users), self.tables)
        is_target = torch.from_numpy(rows[:, 1:] >= 0)
        wanted = self.known.table.items[rows[:, 1:]][is_target.numpy()]
        columns, column = softmax_columns(self._negatives, wanted, self.known.num_items)
        scores = vectors[:, 1:][is_target] @ self._encode(columns).T / self.model.log_temperature.exp()
        return F.cross_entropy(scores, column)

    @torch.inference_mode()
    def ask(self, requests: Requests, index: Int64s) -> Floats:
        """Scores [R, N]."""
        rows = recent_histories(self.known, requests, index, self.config.history_seq_len)
        users = self.model.encode_user(context(self.known, rows, requests.users[index]), self.tables).vectors
        return (users @ self.vectors.T / self.model.log_temperature.exp()).numpy()

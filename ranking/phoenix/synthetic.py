"""Invented requests of any shape, for benchmarks and for choosing an arithmetic."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from ranking.phoenix.batch import Candidates, Context
from ranking.phoenix.config import PhoenixConfig

NOW_SECONDS = 1_790_000_000
MAX_AGE_SECONDS = 172_800
ACTION_RATE = 0.1
MEAN_DWELL_SECONDS = 10.0


def request(config: PhoenixConfig, *, num_candidates: int, seed: int = 0) -> tuple[Context, Candidates]:
    """One user with a full history, and candidates of the last two days, all drawn from one seed."""
    rng = np.random.default_rng(seed)
    history = config.history_seq_len

    def ids(count: int) -> Tensor:
        return torch.from_numpy(rng.integers(1, 1 << 62, (1, count)))

    def features(count: int, columns: int) -> Tensor | None:
        return torch.from_numpy(rng.normal(size=(1, count, columns)).astype(np.float32)) if columns else None

    def content(count: int) -> Tensor | None:
        drawn = features(count, config.content_size)
        return None if drawn is None else torch.nn.functional.normalize(drawn, dim=-1)

    context = Context(
        user_ids=ids(1)[0],
        post_ids=ids(history),
        author_ids=ids(history),
        actions=torch.from_numpy((rng.random((1, history, config.num_actions)) < ACTION_RATE).astype(np.float32)),
        surface=torch.zeros(1, history, dtype=torch.int64),
        dwell_seconds=torch.from_numpy(rng.exponential(MEAN_DWELL_SECONDS, (1, history)).astype(np.float32)),
        content=content(history),
        features=features(history, config.num_history_features),
    )
    candidates = Candidates(
        post_ids=ids(num_candidates),
        author_ids=ids(num_candidates),
        surface=torch.zeros(1, num_candidates, dtype=torch.int64),
        impression_seconds=torch.full((1, num_candidates), NOW_SECONDS),
        creation_seconds=torch.from_numpy(NOW_SECONDS - rng.integers(0, MAX_AGE_SECONDS, (1, num_candidates))),
        content=content(num_candidates),
        features=features(num_candidates, config.num_candidate_features),
    )
    return context, candidates

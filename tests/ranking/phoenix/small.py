"""Small models and random requests for the tests of the island."""

import torch

from ranking.phoenix.batch import Candidates, Context
from ranking.phoenix.config import PhoenixConfig
from ranking.training.presets import xsocial_config


def small_config(kind: str, **changes) -> PhoenixConfig:
    """Ours in every respect but size."""
    return xsocial_config(kind, emb_size=32, history=12, users=64, items=128, authors=64).replace(**changes)


def upstream_config(kind: str) -> PhoenixConfig:
    """The published configuration in a small size."""
    return small_config(
        kind,
        right_anchored_rope=False,
        head_bias=False,
        content_size=0,
        content_match=False,
        num_subjects=0,
        history_feature_names=(),
        candidate_feature_names=(),
        action_names=(),
        continuous_names=(),
        surface_names=(),
        num_continuous=8,
    )


def random_context(config: PhoenixConfig, *, length: int, seed: int = 0) -> Context:
    """One person with `length` valid history items."""
    draw = torch.Generator().manual_seed(seed)
    size = config.history_seq_len
    valid = torch.arange(size)[None] < length

    def ids() -> torch.Tensor:
        return torch.randint(1, 1 << 60, (1, size), generator=draw) * valid

    return Context(
        user_ids=torch.tensor([77]),
        post_ids=ids(),
        author_ids=ids(),
        actions=(torch.rand(1, size, config.num_actions, generator=draw) < 0.2).float(),
        surface=torch.randint(0, 5, (1, size), generator=draw),
        dwell_seconds=torch.rand(1, size, generator=draw) * 40,
        content=torch.randn(1, size, config.content_size, generator=draw) if config.content_size else None,
        features=_features(size, config.num_history_features, draw),
    )


def random_candidates(config: PhoenixConfig, count: int, *, seed: int = 1) -> Candidates:
    draw = torch.Generator().manual_seed(seed)
    now = 1_790_000_000
    return Candidates(
        post_ids=torch.randint(1, 1 << 60, (1, count), generator=draw),
        author_ids=torch.randint(1, 1 << 60, (1, count), generator=draw),
        surface=torch.randint(0, 5, (1, count), generator=draw),
        impression_seconds=torch.full((1, count), now),
        creation_seconds=now - torch.randint(0, 200_000, (1, count), generator=draw),
        content=torch.randn(1, count, config.content_size, generator=draw) if config.content_size else None,
        features=_features(count, config.num_candidate_features, draw),
    )


def _features(rows: int, columns: int, draw: torch.Generator) -> torch.Tensor | None:
    return torch.randn(1, rows, columns, generator=draw) if columns else None

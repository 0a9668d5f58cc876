"""The default `xsocial` configurations and the settings they are trained with."""

from __future__ import annotations

from dataclasses import dataclass

from ranking.content import CONTENT_SIZE
from ranking.features import CANDIDATE_FEATURES, HISTORY_FEATURES
from ranking.models import VECTOR_DIMENSIONS
from ranking.phoenix.actions import CONTINUOUS_HEADS, DISCRETE_HEADS, PRODUCT_SURFACES
from ranking.phoenix.config import EntityHash, PhoenixConfig

# Hash functions of the published model; our tables are smaller.
USER_HASH = ((196742702, 1852108266), (1935840681, 167407236), 2859568897)
ITEM_HASH = ((2161410491, 1754358832), (1935840681, 167407236), 2361375383)
AUTHOR_HASH = ((371965780, 328930218), (139686260, 37755056), 631860353)
SUBJECTS = 64


def xsocial_config(
    kind: str,
    *,
    emb_size: int = VECTOR_DIMENSIONS,
    num_layers: int = 2,
    history: int = 64,
    users: int = 8192,
    items: int = 32768,
    authors: int = 8192,
) -> PhoenixConfig:
    """The published transformer plus content, live features and right-anchored positions."""
    is_ranker = kind == "ranker"
    return PhoenixConfig(
        model_type=kind,
        emb_size=emb_size,
        num_layers=num_layers,
        num_heads=4,
        key_size=emb_size // 4,
        history_seq_len=history,
        candidate_seq_len=64,
        num_actions=len(DISCRETE_HEADS),
        user_hash=EntityHash(*USER_HASH, users),
        item_hash=EntityHash(*ITEM_HASH, items),
        author_hash=EntityHash(*AUTHOR_HASH, authors),
        num_continuous=len(CONTINUOUS_HEADS) if is_ranker else 8,
        right_anchored_rope=True,
        content_size=CONTENT_SIZE,
        content_match=True,
        num_subjects=SUBJECTS if is_ranker else 0,
        head_bias=is_ranker,
        history_feature_names=HISTORY_FEATURES,
        candidate_feature_names=CANDIDATE_FEATURES if is_ranker else (),
        action_names=DISCRETE_HEADS,
        continuous_names=CONTINUOUS_HEADS if is_ranker else (),
        surface_names=PRODUCT_SURFACES,
    )


@dataclass(frozen=True)
class TrainingSettings:
    """How a model is trained. `minutes` bounds the wall clock, and the epochs are cut to
    fit; 0 is no bound, and makes the run repeatable."""

    seed: int = 0
    epochs: int = 2
    minutes: float = 1.2
    batch_requests: int = 64
    learning_rate: float = 2e-3
    table_learning_rate: float = 0.05
    weight_decay: float = 0.02
    item_dropout: float = 0.5
    held_out: float = 0.15
    calibration: float = 0.05
    random_negatives: int = 512
    continuous_weight: float = 0.3
    sampled_negatives: int = 0
    shard_impressions: int = 500_000
    checkpoint_steps: int = 200
    judged_requests: int = 2000

"""How good a ranker is on a period it has not seen: per head, and for the final order of each page.

The value of an impression is the weighted sum of what followed; the final score is the same sum over
the predicted probabilities. Both are compared with recency, popularity and, where the simulated world
left its true probabilities, with the order the truth would give.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ranking.heads import multi_hot
from ranking.phoenix.config import PhoenixConfig
from ranking.training import metrics
from ranking.training.dataset import Examples
from ranking.types import Floats

# Engagement value of a head in evaluation; the live ranking weights belong to feed and may change daily.
HEAD_VALUES = {
    "favorite": 1.0,
    "reply": 5.0,
    "repost": 2.0,
    "quote": 2.0,
    "share": 2.0,
    "share_via_dm": 2.0,
    "share_via_copy_link": 2.0,
    "follow_author": 4.0,
    "profile_click": 0.5,
    "photo_expand": 0.2,
    "vqv": 0.2,
    "click": 0.2,
    "dwell": 0.1,
    "not_interested": -5.0,
    "mute_author": -10.0,
    "block_author": -10.0,
    "report": -20.0,
    "not_dwelled": -0.05,
}

Oracle = Callable[[Examples], Floats | None]


@dataclass(frozen=True)
class Orders:
    """Scores [R, C] of the ways to order a page."""

    phoenix: Floats
    popularity: Floats
    engagement_rate: Floats
    recency: Floats
    oracle: Floats | None = None

    def items(self) -> list[tuple[str, Floats]]:
        return [(name, value) for name, value in vars(self).items() if value is not None]


def head_values(heads: tuple[str, ...], values: Mapping[str, float] = HEAD_VALUES) -> Floats:
    """Value of each head in model order."""
    return np.array([values.get(head, 0.0) for head in heads], dtype=np.float32)


def orders(examples: Examples, probabilities: Floats, config: PhoenixConfig, oracle: Oracle | None = None) -> Orders:
    """Final scores of the model and of the baselines for the same pages."""
    feature = {name: examples.features[..., i] for i, name in enumerate(config.candidate_feature_names)}
    return Orders(
        phoenix=probabilities @ head_values(config.action_names),
        popularity=feature["log_favorites"] + feature["log_reposts"],
        engagement_rate=feature["engagement_rate"],
        recency=-feature["log_age_minutes"],
        oracle=oracle(examples) if oracle else None,
    )


def head_figures(examples: Examples, probabilities: Floats, config: PhoenixConfig) -> dict[str, Any]:
    """AUC, PR-AUC, normalised entropy, calibration, base rate and reliability bins of each head."""
    valid = examples.valid
    labels = multi_hot(examples.label_bits, config.action_names)[valid]
    predicted = probabilities[valid]
    out = {}
    for i, head in enumerate(config.action_names):
        p, y = predicted[:, i], labels[:, i]
        out[head] = {
            "auc": metrics.auc(p, y),
            "pr_auc": metrics.pr_auc(p, y),
            "normalised_entropy": metrics.normalised_entropy(p, y),
            "calibration": metrics.calibration(p, y),
            "ece": metrics.expected_calibration_error(p, y),
            "rate": float(y.mean()) if len(y) else 0.0,
            "reliability": metrics.reliability(p, y),
        }
    return out


def like_labels(examples: Examples, config: PhoenixConfig) -> Floats:
    """1 where a like followed, [R, C]."""
    return multi_hot(examples.label_bits, config.action_names)[..., config.action_names.index("favorite")]


def page_values(examples: Examples, config: PhoenixConfig) -> Floats:
    """Engagement value of what followed, at least 0, [R, C]."""
    return np.maximum(multi_hot(examples.label_bits, config.action_names) @ head_values(config.action_names), 0.0)


def page_figures(examples: Examples, compared: Orders, config: PhoenixConfig) -> dict[str, Any]:
    """NDCG@10, MRR and recall of each order, with a like as gain and with engagement value as gain."""
    liked, value = like_labels(examples, config), page_values(examples, config)
    out = {}
    for name, scores in compared.items():
        valid = examples.valid & np.isfinite(scores)
        out[name] = {
            "ndcg@10": metrics.ndcg(scores, value, valid),
            "ndcg@10_favorite": metrics.ndcg(scores, liked, valid),
            "mrr_favorite": metrics.mrr(scores, liked, valid),
            "auc_favorite": metrics.auc(scores[valid], liked[valid]),
            "recall@5_favorite": metrics.recall(scores, liked, valid, k=5),
            "ndcg@5": metrics.ndcg(scores, value, valid, k=5),
        }
    return out


def by_age(examples: Examples, compared: Orders, config: PhoenixConfig) -> dict[str, Any]:
    """NDCG@10 of the model and of popularity on posts under an hour old."""
    age = examples.features[..., config.candidate_feature_names.index("log_age_minutes")]
    is_fresh = examples.valid & (np.expm1(age * 4) < 60)
    value = page_values(examples, config)
    return {
        f"fresh_ndcg@10_{name}": metrics.ndcg(scores, value, is_fresh)
        for name, scores in compared.items()
        if name in ("phoenix", "popularity")
    }


def evaluate(
    examples: Examples,
    probabilities: Floats,
    probabilities_asked: Floats,
    config: PhoenixConfig,
    oracle: Oracle | None = None,
) -> dict[str, Any]:
    """All figures of a ranker on the given pages.

    Heads are judged with the logged positions; orders are made as if all stood at one place, as in serving.
    """
    compared = orders(examples, probabilities_asked, config, oracle)
    return {
        "requests": len(examples),
        "impressions": int(examples.valid.sum()),
        "pages": page_figures(examples, compared, config),
        "heads": head_figures(examples, probabilities, config),
        **by_age(examples, compared, config),
    }


def oracle_from_file(path: Path, heads: Mapping[str, float] = HEAD_VALUES) -> Oracle | None:
    """Orders by the true probabilities that the simulated world recorded; None without the file.

    Only evaluation may call this: the truth never reaches training or serving.
    """
    if not path.is_file():
        return None
    with np.load(path, allow_pickle=False) as file:
        impression_ids, probabilities = file["impression_id"], file["heads"]
        names = [_head_name(str(name)) for name in file["head_names"]]
    values = probabilities @ np.array([heads.get(name, 0.0) for name in names], dtype=np.float32)
    order = np.argsort(impression_ids)
    impression_ids, values = impression_ids[order], values[order]

    def score(examples: Examples) -> Floats:
        place = np.searchsorted(impression_ids, examples.impression_ids)
        place = np.minimum(place, len(impression_ids) - 1)
        is_known = impression_ids[place] == examples.impression_ids
        return np.where(is_known, values[place], np.nan).astype(np.float32)

    return score


def _head_name(name: str) -> str:
    return {"video_quality_view": "vqv"}.get(name, name)

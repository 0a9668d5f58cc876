"""What a newly trained model must show before it may serve: good by itself, and no worse than the model
that serves now, both judged on the same later page loads."""

from __future__ import annotations

from typing import Any

import numpy as np

from ranking.models import ModelVersion
from ranking.types import Bools, Floats

TOLERATED_LOSS = 0.03
MIN_AUC = 0.55
MAX_NORMALISED_ENTROPY = 1.02
CALIBRATION_RANGE = (0.5, 2.0)
# Mean rank correlation of the two models' orders of a page; below it, something broke.
MIN_RANK_AGREEMENT = 0.3
JUDGED_HEAD = "favorite"


def passes(version: ModelVersion, serving: dict[str, Any]) -> bool:
    """Whether a candidate may be promoted; notes the failed gates in its metrics.

    `serving` has the figures of the model in service on the same pages, empty when there is none.
    """
    failed = failures(version.kind, version.metrics, serving)
    version.metrics["compared_with"] = _compared(serving)
    if failed:
        version.metrics["failed_gates"] = failed
        version.status = ModelVersion.Status.REJECTED
    version.save(update_fields=["metrics", "status"])
    return not failed


def _compared(serving: dict[str, Any]) -> dict[str, Any]:
    """The figures that were compared, to be kept with the candidate."""
    page = serving.get("pages", {}).get("phoenix", {})
    out = {"model": serving.get("model"), "ndcg@10": page.get("ndcg@10")}
    out |= {name: serving[name] for name in ("recall@500", "rank_agreement") if name in serving}
    return {name: value for name, value in out.items() if value is not None}


def failures(kind: str, figures: dict[str, Any], serving: dict[str, Any]) -> list[str]:
    """Names of the gates that do not hold."""
    if kind == ModelVersion.Kind.RETRIEVAL:
        return _fell("recall@500", figures.get("recall@500"), serving.get("recall@500"))
    head = figures["heads"][JUDGED_HEAD]
    checks = {
        "auc": (head["auc"] or 0) >= MIN_AUC,
        "normalised_entropy": (head["normalised_entropy"] or 0) <= MAX_NORMALISED_ENTROPY,
        "calibration": CALIBRATION_RANGE[0] <= (head["calibration"] or 1) <= CALIBRATION_RANGE[1],
        "rank_agreement": serving.get("rank_agreement", 1.0) >= MIN_RANK_AGREEMENT,
    }
    before = serving.get("pages", {}).get("phoenix", {}).get("ndcg@10")
    failed = [name for name, holds in checks.items() if not holds]
    return failed + _fell("ndcg@10", figures["pages"]["phoenix"]["ndcg@10"], before)


def _fell(name: str, value: float | None, before: float | None) -> list[str]:
    if value is None or before is None:
        return []
    return [name] if value < before * (1 - TOLERATED_LOSS) else []


def rank_agreement(first: Floats, second: Floats, valid: Bools) -> float | None:
    """Mean Spearman correlation of two scores [R, C] over pages of at least three posts; ties by place."""
    found = []
    for a, b, shown in zip(first, second, valid, strict=True):
        if shown.sum() >= 3:
            found.append(np.corrcoef(_ranks(a[shown]), _ranks(b[shown]))[0, 1])
    return float(np.mean(found)) if found else None


def _ranks(scores: Floats) -> Floats:
    return np.argsort(np.argsort(scores, kind="stable"), kind="stable").astype(np.float32)

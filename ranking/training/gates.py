"""What a newly trained model must show before it may serve."""

from __future__ import annotations

from typing import Any

from ranking.models import ModelVersion

# A new model is judged on other pages than its predecessor was: allow for noise, not for decline.
TOLERATED_LOSS = 0.03
MIN_AUC = 0.55
MAX_NORMALISED_ENTROPY = 1.02
CALIBRATION_RANGE = (0.5, 2.0)
JUDGED_HEAD = "favorite"


def passes(version: ModelVersion, serving: ModelVersion | None) -> bool:
    """Whether a candidate may be promoted; notes the failed gates in its metrics."""
    failed = failures(version.kind, version.metrics, serving.metrics if serving else {})
    if failed:
        version.metrics["failed_gates"] = failed
        version.status = ModelVersion.Status.REJECTED
        version.save(update_fields=["metrics", "status"])
    return not failed


def failures(kind: str, figures: dict[str, Any], serving: dict[str, Any]) -> list[str]:
    """Names of the gates that do not hold."""
    if kind == ModelVersion.Kind.RETRIEVAL:
        return _fell("recall@500", figures.get("recall@500"), serving.get("recall@500"))
    head = figures["heads"][JUDGED_HEAD]
    checks = {
        "auc": (head["auc"] or 0) >= MIN_AUC,
        "normalised_entropy": (head["normalised_entropy"] or 0) <= MAX_NORMALISED_ENTROPY,
        "calibration": CALIBRATION_RANGE[0] <= (head["calibration"] or 1) <= CALIBRATION_RANGE[1],
    }
    before = serving.get("pages", {}).get("phoenix", {}).get("ndcg@10")
    failed = [name for name, holds in checks.items() if not holds]
    return failed + _fell("ndcg@10", figures["pages"]["phoenix"]["ndcg@10"], before)


def _fell(name: str, value: float | None, before: float | None) -> list[str]:
    if value is None or before is None:
        return []
    return [name] if value < before * (1 - TOLERATED_LOSS) else []

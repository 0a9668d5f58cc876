"""The sum again, from the receipt alone: the served scores and their order."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from feed.home_mixer.params import HEADS
from feed.home_mixer.scorers import value_model
from feed.home_mixer.scorers.value_model import Conditions

TOLERANCE = 1e-6


@dataclass(frozen=True, slots=True)
class Recomputed:
    """Scores by post id, and post ids in the order in which they enter the blender."""

    scores: Mapping[str, float]
    order: tuple[str, ...]

    def agrees_with(self, receipt: Mapping[str, Any]) -> bool:
        """Whether the receipt's scores and order follow from its figures."""
        served = {item["post_id"]: item["score"] for item in receipt["items"] if item["kind"] == "post"}
        same = all(abs(self.scores[post_id] - score) <= TOLERANCE for post_id, score in served.items())
        ranked = [post_id for post_id in receipt["ranked"] if post_id in served]
        return same and list(self.order) == ranked


def recompute(receipt: Mapping[str, Any]) -> Recomputed:
    """Scores and order from predictions, weights and multipliers."""
    posts = [item for item in receipt["items"] if item["kind"] == "post"]
    scores = dict(zip((post["post_id"] for post in posts), _scores(receipt, posts), strict=True))
    return Recomputed(scores, tuple(_order(receipt, scores)))


def _scores(receipt: Mapping[str, Any], posts: list[Mapping[str, Any]]) -> list[float]:
    parts = [post["receipt"] for post in posts]
    if not parts:
        return []
    weighted, base = (np.array([part[name] for part in parts], np.float64) for name in ("weighted_score", "base_score"))
    is_ranked = receipt["ranked_by"] == "model"
    multiplier = np.array([part["oon_factor"] for part in parts])
    if is_ranked and receipt["diversity"]["enabled"]:
        exponent = np.array([part["author_position"] + part["author_history"] for part in parts])
        multiplier *= value_model.diversity(exponent, receipt["diversity"]["decay"], receipt["diversity"]["floor"])
    kept = np.array([part["standing_factor"] * part["vm_factor"] for part in parts])
    if not is_ranked:
        return (weighted * multiplier * kept).tolist()
    if receipt["value_mode"] == "mpn":
        net = _combined(receipt, parts)
        own = _offset(receipt, np.where(net >= 0, net * multiplier, net))
        return (np.where(base > own + TOLERANCE, base, own) * kept).tolist()
    own = _offset(receipt, _combined(receipt, parts)) if receipt["value_mode"] == "weighted" else weighted
    # A cold start lifts a post above what its own sum is worth, or takes a post out.
    lifted = np.abs(base - weighted) > TOLERANCE
    return (np.where(lifted, base, own) * multiplier * kept).tolist()


def _offset(receipt: Mapping[str, Any], net: np.ndarray) -> np.ndarray:
    return value_model.normalised(
        value_model.offset(net, receipt["weights"], receipt["epsilon"], without=tuple(receipt["left_out"]))
    )


def _combined(receipt: Mapping[str, Any], parts: list[Mapping[str, Any]]) -> np.ndarray:
    heads = np.array([[part["predictions"].get(head, np.nan) for head in HEADS] for part in parts])
    return value_model.combined(heads, receipt["weights"], Conditions.of_rows([part["conditions"] for part in parts]))


def _order(receipt: Mapping[str, Any], scores: Mapping[str, float]) -> list[str]:
    """By score; equal scores as they were ranked; then the explored neighbours swapped."""
    ranked = _swapped(receipt["ranked"], receipt["explored"])
    by_score = sorted((i for i in ranked if i in scores), key=lambda post_id: -scores[post_id])
    if len(by_score) == len(ranked):
        return _swapped(by_score, receipt["explored"])
    return by_score


def _swapped(ids: list[str], places: list[int]) -> list[str]:
    swapped = list(ids)
    for place in places:
        swapped[place], swapped[place + 1] = swapped[place + 1], swapped[place]
    return swapped

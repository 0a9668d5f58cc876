"""A receipt from the outer result: plain values, ids as strings, every factor of every score."""

from __future__ import annotations

import math
from dataclasses import asdict
from functools import lru_cache
from typing import Any

import numpy as np
from django.conf import settings

from ads.blending import Verdict
from feed.candidate_pipeline import Result
from feed.home_mixer import feed_item
from feed.home_mixer.candidate import YES
from feed.home_mixer.params import HEADS
from feed.home_mixer.query import ScoredPostsQuery
from feed.home_mixer.scorers.ranking_scorer import left_out
from feed.home_mixer.scorers.value_model import Conditions
from feed.receipts import fates
from feed.receipts.fates import Fates
from ranking import services as ranking
from ranking.models import ModelVersion


def receipt(result: Result) -> dict[str, Any]:
    """The page load as stored: see ``docs/decisions`` for the shape's promises."""
    query: ScoredPostsQuery = result.query
    inner: Result | None = query.memo.get("scored_posts")
    return {
        "request_id": str(query.request_id),
        "viewer_id": str(query.user_id),
        "at_ms": query.now_ms,
        "surface": query.surface_label,
        "model": model_of(inner),
        "ranked_by": "model" if model_of(inner) else "time",
        "weight_set": query.weights.number,
        "weights": dict(query.weights.weights),
        "tuning": dict(query.weights.tuning.multipliers),
        "epsilon": query.params.negative_scores_offset,
        "value_mode": "mpn" if query.params.mpn_scoring else query.params.value_mode,
        "left_out": list(left_out(query.params)),
        "diversity": {
            "decay": query.params.author_diversity_decay,
            "floor": query.params.author_diversity_floor,
            "enabled": query.params.enable_author_diversity,
        },
        "build": settings.BUILD,
        "degraded": list(degraded(result)),
        "is_cached": inner is not None and inner.query.has_cached_posts,
        "explored": [int(place) for place in query.memo.get("explored", ())],
        "ranked": [str(i) for i in inner.selected["post_id"].tolist()] if inner else [],
        "items": items(result, inner),
        "num_candidates": inner.retrieved.n if inner else 0,
        "dropped": ledger(inner, result),
        "stages": [_stage(name, report) for name, run in _runs(result, inner) for report in run.stages],
    }


def settings_of(result: Result) -> dict[str, Any]:
    """What this load has in common with many others; kept once for all of them."""
    query: ScoredPostsQuery = result.query
    model = model_of(query.memo.get("scored_posts"))
    return {
        "model": model,
        "model_hash": _hash_of(model) if model else "",
        "arithmetic": ranking.arithmetic_of(model) if model else "",
        "weight_set": query.weights.number,
        "weights": dict(query.weights.site),
        "params": asdict(query.params),
        "build": settings.BUILD,
    }


@lru_cache(maxsize=64)
def _hash_of(model: str) -> str:
    """The checkpoint's digest; a name is never given to another checkpoint."""
    return ModelVersion.objects.filter(name=model).values_list("artefact_hash", flat=True).first() or ""


def model_of(inner: Result | None) -> str:
    """The model that made the predictions; empty when the page is in order of time."""
    if inner is None or not inner.selected.n or not np.isfinite(inner.selected["heads"]).any():
        return ""
    return next((name for name in inner.selected["model"] if name), "")


def degraded(result: Result) -> tuple[str, ...]:
    """What did not work on this page, as short names."""
    inner: Result | None = result.query.memo.get("scored_posts")
    if inner is None:
        return ("posts",)
    failed = {part.name for run in (inner, result) for part in run.faults}
    found = [name for name, parts in _PARTS.items() if failed.intersection(parts)]
    if "ranker" not in found and inner.selected.n and not model_of(inner):
        found.append("ranker")
    return tuple(found)


_PARTS = {
    "ranker": ("PhoenixScorer",),
    "retrieval": ("PhoenixSource", "PhoenixTopicsSource"),
    "network": ("ThunderSource", "FollowedUserIdsQueryHydrator"),
    "history": ("ServedHistoryQueryHydrator", "ImpressionBloomFilterQueryHydrator"),
    "ads": ("AdsSource", "AdsBrandSafetyCandidateHydrator"),
    "visibility": ("VFCandidateHydrator",),
}


def ledger(inner: Result | None, page: Result | None = None) -> list[dict[str, Any]]:
    """What was left out, by the component that did it, in order. With what was served it is everything."""
    return entries(fates.of(inner, page), inner.retrieved["post_id"]) if inner else []


def entries(found: Fates, post_ids: np.ndarray) -> list[dict[str, Any]]:
    """The ledger's entries from the fates of these candidates."""
    return [
        {"filter": name, "stage": stage, "count": len(rows), "post_ids": [str(i) for i in post_ids[rows].tolist()]}
        for stage, name, rows in found.ledger()
    ]


def _runs(result: Result, inner: Result | None) -> list[tuple[str, Result]]:
    return ([("ScoredPosts", inner)] if inner else []) + [("ForYou", result)]


def _stage(pipeline: str, report: Any) -> dict[str, Any]:
    return {
        "pipeline": pipeline,
        "stage": report.stage,
        "ms": round(report.ms, 3),
        "rows_in": report.rows_in,
        "rows_out": report.rows_out,
        "components": [
            {"name": part.name, "state": part.state, "ms": round(part.ms, 3), "size": part.size}
            for part in report.components
        ],
    }


def items(result: Result, inner: Result | None) -> list[dict[str, Any]]:
    """The page's items in order, each with what decided its place."""
    kinds, rows = result.selected["kind"].tolist(), result.selected["item"].tolist()
    filters = _filter_states(inner)
    beside_ad = {
        place
        for place, kind in enumerate(kinds)
        if feed_item.AD in (kinds[place - 1] if place else "", kinds[place + 1] if place + 1 < len(kinds) else "")
    }
    return [
        {"position": place, "kind": kind, **_item(result.query, kind, item, filters, place in beside_ad)}
        for place, (kind, item) in enumerate(zip(kinds, rows, strict=True))
    ]


def _item(query: ScoredPostsQuery, kind: str, item: Any, filters: dict[str, str], is_beside_ad: bool) -> dict[str, Any]:
    if kind == feed_item.POST:
        return _post(query, item, filters, is_beside_ad)
    blank = {"post_id": None, "author_id": None, "in_network": None, "source": kind, "score": None}
    if kind == feed_item.AD:
        about = {"ad_id": str(item.id), "insert_position": item.insert_position, "advertiser": item.advertiser_name}
        return {**blank, "post_id": _id(item.post_id), "author_id": _id(item.author_id), "receipt": about}
    if kind == feed_item.WHO_TO_FOLLOW:
        return {**blank, "receipt": {"user_ids": [str(user) for user in item.user_ids]}}
    if kind == feed_item.PUSH_TO_HOME:
        return {**blank, "post_id": _id(item.post_id), "author_id": _id(item.author_id), "receipt": {}}
    return {**blank, "receipt": {"prompt": item.title, "prompt_id": str(item.pk)}}


def _post(
    query: ScoredPostsQuery, post: feed_item.PostRow, filters: dict[str, str], is_beside_ad: bool
) -> dict[str, Any]:
    row = post.row
    return {
        "post_id": str(post.id),
        "author_id": str(post.author_id),
        "in_network": post.in_network,
        "source": post.source,
        "score": post.score,
        "receipt": {
            "author_name": row["author_name"],
            "repost_of_id": _id(post.repost_of_id),
            "repost_of_name": row["repost_of_name"],
            "source_rank": row["source_rank"],
            "source_score": _number(row["source_score"]),
            "predictions": _predictions(row["heads"]),
            "raw_predictions": _predictions(row["raw_heads"]),
            "conditions": Conditions.named(row["conditions"]),
            "combined": row["combined"],
            "weighted_score": row["weighted_score"],
            "base_score": row["base_score"],
            "author_position": int(row["author_position"]),
            "author_history": _number(row["author_history"]) or 0.0,
            "diversity": row["diversity"],
            "oon_factor": row["oon_factor"],
            "standing_factor": 1.0 if _number(row["standing_factor"]) is None else row["standing_factor"],
            "vm_factor": 1.0 if _number(row["vm_factor"]) is None else row["vm_factor"],
            "prediction_id": _id(row["prediction_id"]),
            "scored_at_ms": row["scored_at_ms"],
            "propensity": row["propensity"],
            "filters": filters,
            "visibility": post.visibility,
            "brand_safety": Verdict(post.verdict).name.lower() if post.verdict is not None else None,
            "is_beside_ad": is_beside_ad,
            "type_metrics": (row["type_metrics"] or b"").hex(),
            "screened": row["screened"] == YES,
        },
    }


def _filter_states(inner: Result | None) -> dict[str, str]:
    """Every filter's verdict on what was served: it kept it, was off, or failed."""
    stages = [report for report in inner.stages if report.stage.endswith("filters")] if inner else []
    words = {"ok": "kept", "disabled": "off"}
    return {part.name: words.get(part.state, part.state) for report in stages for part in report.components}


def _predictions(heads: list[float]) -> dict[str, float]:
    return {head: value for head, value in zip(HEADS, heads, strict=True) if math.isfinite(value)}


def _number(value: float) -> float | None:
    return value if value is not None and math.isfinite(value) else None


def _id(value: int | None) -> str | None:
    return str(value) if value else None

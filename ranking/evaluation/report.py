"""One report on a ranker and a retrieval model over the page loads that followed the training period."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

from ranking import registry
from ranking.evaluation.reach import reach
from ranking.evaluation.retrieval import found_posts, store_recall, without_content
from ranking.evaluation.slices import age_minutes, by_slice
from ranking.models import ModelVersion
from ranking.serving import artefacts
from ranking.serving.checkpoint import Checkpoint
from ranking.training import logs, metrics
from ranking.training.dataset import Dataset, Examples, build
from ranking.training.evaluate import Oracle, evaluate, orders, page_values
from ranking.training.run import probabilities
from ranking.types import Floats
from xsocial.kernel.errors import Unavailable


def report(
    version: ModelVersion, retrieval: ModelVersion | None = None, *, limit: int = 0, oracle: Oracle | None = None
) -> dict[str, Any]:
    """All figures; raises Unavailable when nothing was recorded after the ranker's training period."""
    checkpoint = registry.load(version)
    config = checkpoint.model.config
    since = version.training.get("until_ms", 0)
    dataset = build(logs.read(since_ms=since), feature_names=config.candidate_feature_names)
    examples = dataset.examples
    if limit:
        examples = examples.take(slice(max(len(examples) - limit, 0), None))
    if not len(examples):
        raise Unavailable("No page loads were recorded after the model's training period.")
    at_top = examples.at_top(config.candidate_feature_names)
    shown, asked = (probabilities(checkpoint, dataset, each) for each in (examples, at_top))
    compared = orders(examples, asked, config, oracle)
    figures = {
        "model": version.name,
        **evaluate(examples, shown, asked, config, oracle),
        "slices": by_slice(dataset, examples, compared.phoenix, config),
        "reach": reach(dataset, examples, compared),
        "fresh": _fresh(checkpoint, dataset, at_top, compared.phoenix),
    }
    if retrieval is not None:
        towers = registry.load(retrieval)
        found = found_posts(towers, dataset, examples)
        figures["retrieval"] = {
            "model": retrieval.name,
            **found,
            **store_recall(retrieval, towers, dataset, examples),
        }
    return figures


def _fresh(checkpoint: Checkpoint, dataset: Dataset, at_top: Examples, scores: Floats) -> dict[str, Any]:
    """NDCG@10 among posts under one hour old, with the content and with all of it taken away."""
    config = checkpoint.model.config
    is_fresh = at_top.valid & (age_minutes(dataset, at_top) < 60)
    features = at_top.features.copy()
    for number, name in enumerate(config.candidate_feature_names):
        if name == "has_content" or name.startswith("similarity_"):
            features[..., number] = 0.0
    bare = dataclasses.replace(at_top, features=features)
    blind = probabilities(checkpoint, without_content(dataset), bare)
    value = page_values(at_top, config)
    return {
        "impressions": int(is_fresh.sum()),
        "ndcg@10": metrics.ndcg(scores, value, is_fresh),
        "ndcg@10_without_content": metrics.ndcg(orders(at_top, blind, config).phoenix, value, is_fresh),
    }


def keep(version: ModelVersion, figures: dict[str, Any]) -> Path:
    """Writes figures and plots beside the checkpoint, for the admin's page of the model."""
    from ranking.evaluation import plots  # matplotlib is slow to import and only needed here

    place = artefacts.folder(version)
    place.mkdir(parents=True, exist_ok=True)
    plots.draw(figures, version.training, place)
    (place / artefacts.FIGURES).write_text(json.dumps(figures, indent=1) + "\n")
    return place

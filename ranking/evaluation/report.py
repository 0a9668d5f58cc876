"""One report on a ranker and a retrieval model over the page loads that followed the training period."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from ranking import registry
from ranking.evaluation import cold
from ranking.evaluation.reach import reach
from ranking.evaluation.retrieval import found_posts, store_recall
from ranking.evaluation.slices import by_slice
from ranking.models import ModelVersion
from ranking.phoenix.subjects import subjects_of
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
    subjects = subjects_of(checkpoint.model)
    dataset = build(logs.read(since_ms=since), feature_names=config.candidate_feature_names, subjects=subjects)
    examples = dataset.examples
    if limit:
        examples = examples.take(slice(max(len(examples) - limit, 0), None))
    if not len(examples):
        raise Unavailable("No page loads were recorded after the model's training period.")
    as_asked = examples.as_asked(config.candidate_feature_names)
    shown, asked = (probabilities(checkpoint, dataset, each) for each in (examples, as_asked))
    compared = orders(examples, asked, config, oracle)
    figures = {
        "model": version.name,
        **evaluate(examples, shown, asked, config, oracle),
        "slices": by_slice(dataset, examples, compared.phoenix, config),
        "reach": reach(dataset, examples, compared),
        "cold": _cold(checkpoint, dataset, as_asked, compared.phoenix),
    }
    if retrieval is not None:
        towers = registry.load(retrieval)
        found = found_posts(towers, dataset, examples, config.candidate_feature_names)
        figures["retrieval"] = {
            "model": retrieval.name,
            **found,
            **store_recall(retrieval, towers, dataset, examples),
        }
    return figures


def _cold(checkpoint: Checkpoint, dataset: Dataset, as_asked: Examples, scores: Floats) -> dict[str, Any]:
    """NDCG@10 among posts of which little was known, with the content and with all of it taken away."""
    config = checkpoint.model.config
    names = config.candidate_feature_names
    bare = cold.without_likeness(as_asked, names)
    blind = orders(as_asked, probabilities(checkpoint, cold.without_content(dataset), bare), config).phoenix
    value = page_values(as_asked, config)
    found = {}
    for name, mask in cold.masks(dataset, as_asked, names).items():
        with_, without = (metrics.ndcg_by_request(each, value, mask) for each in (scores, blind))
        has_gain = ~np.isnan(with_)
        figures = cold.compared("ndcg@10", with_[has_gain], without[has_gain], np.ones(has_gain.sum()))
        found[name] = {"impressions": int(mask.sum()), "pages": int(has_gain.sum()), **figures}
    return found


def keep(version: ModelVersion, figures: dict[str, Any]) -> Path:
    """Writes figures and plots beside the checkpoint, for the admin's page of the model."""
    from ranking.evaluation import plots  # matplotlib is slow to import and only needed here

    place = artefacts.folder(version)
    place.mkdir(parents=True, exist_ok=True)
    plots.draw(figures, version.training, place)
    (place / artefacts.FIGURES).write_text(json.dumps(figures, indent=1) + "\n")
    return place

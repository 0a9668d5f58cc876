"""Background work: training on what is new, and candidate vectors for new posts."""

from __future__ import annotations

from celery import shared_task

from ranking import registry
from ranking.models import ModelVersion
from ranking.retrieval import indexer
from ranking.serving import live
from ranking.training import gates, logs
from ranking.training.presets import TrainingSettings
from ranking.training.run import run
from xsocial.kernel import clock
from xsocial.kernel.errors import Unavailable

HOUR_S = 3600.0
INDEX_EVERY_S = 10.0
LEARNING_MINUTES = 4.0


@shared_task
def train_incremental() -> list[str]:
    """Trains on everything up to now and promotes what passes the gates; returns what was promoted."""
    settings = TrainingSettings(minutes=LEARNING_MINUTES, seed=clock.now_ms() % 100_000)
    try:
        trained = run(logs.read(), settings=settings, quiet=True)
    except Unavailable:
        return []
    return [
        registry.promote(version).name
        for version in (trained.ranker, trained.retrieval)
        if gates.passes(version, registry.promoted(version.kind))
    ]


@shared_task
def index_new_posts() -> int:
    """Writes the candidate vectors that are missing; returns how many."""
    try:
        model = live.retrieval.get()
    except Unavailable:
        return 0
    indexer.retire_deleted(model.model_id)
    return indexer.index_window(model.model_id, model.checkpoint)


@shared_task
def forget_old_vectors() -> int:
    """Deletes vectors that no server needs any more; returns how many."""
    version = registry.promoted(ModelVersion.Kind.RETRIEVAL)
    return indexer.forget_old(version.pk) if version else 0


BEAT = {
    "ranking-train-incremental": {"task": "ranking.tasks.train_incremental", "schedule": HOUR_S},
    "ranking-index-new-posts": {"task": "ranking.tasks.index_new_posts", "schedule": INDEX_EVERY_S},
    "ranking-forget-old-vectors": {"task": "ranking.tasks.forget_old_vectors", "schedule": HOUR_S},
}

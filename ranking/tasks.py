"""Background work: training on what is new, and candidate vectors for new posts."""

from __future__ import annotations

from contextlib import suppress

import structlog
import torch
from celery import shared_task

from ranking import registry
from ranking.models import ModelVersion
from ranking.phoenix.inference import num_workers
from ranking.retrieval import indexer, projections
from ranking.serving import live, named
from ranking.training import continuous
from xsocial.kernel.errors import Conflict, Unavailable

HOUR_S = 3600.0
INDEX_EVERY_S = 10.0

log = structlog.get_logger(__name__)


@shared_task
def train_incremental(minutes: float = continuous.LEARNING_MINUTES) -> list[str]:
    """Trains on what is new and promotes what passes the gates; returns what was promoted.

    Takes half the cores: pages keep theirs, and products split among threads that wait for one another crawl.
    """
    torch.set_num_threads(max(num_workers() // 2, 1))
    try:
        return continuous.learn(minutes=minutes)
    except (Unavailable, Conflict) as error:
        log.info("ranking.not_trained", reason=error.message)
        return []


@shared_task
def index_new_posts() -> int:
    """Writes what is missing of posts: candidate vectors of the promoted model and others in use, projections of
    the ranker. Returns how many vectors."""
    written = 0
    for name in ("", *named.retrievals_in_use()):
        try:
            model = named.retrieval(name)
        except Unavailable:
            continue
        indexer.retire_closed(model.model_id)
        written += indexer.index_window(model.model_id, model.checkpoint)
    with suppress(Unavailable):
        ranker = live.ranker.get()
        projections.index_window(ranker.model_id, ranker.checkpoint)
    return written


@shared_task
def forget_old_vectors() -> int:
    """Deletes vectors and projections that no server needs any more; returns how many."""
    forget = {ModelVersion.Kind.RETRIEVAL: indexer.forget_old, ModelVersion.Kind.RANKER: projections.forget_old}
    promoted = [(kind, registry.promoted(kind)) for kind in forget]
    return sum(forget[kind](version.pk) for kind, version in promoted if version)


@shared_task
def forget_old_models() -> list[str]:
    """Deletes the files of versions that nobody will go back to; returns their names."""
    return [name for kind in ModelVersion.Kind.values for name in registry.forget_files(kind)]


BEAT = {
    "ranking-train-incremental": {"task": "ranking.tasks.train_incremental", "schedule": HOUR_S},
    "ranking-index-new-posts": {"task": "ranking.tasks.index_new_posts", "schedule": INDEX_EVERY_S},
    "ranking-forget-old-models": {"task": "ranking.tasks.forget_old_models", "schedule": HOUR_S},
    "ranking-forget-old-vectors": {"task": "ranking.tasks.forget_old_vectors", "schedule": HOUR_S},
}

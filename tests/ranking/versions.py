"""Untrained models and content, registered and stored as trained ones are."""

import numpy as np
import torch

from posts.models import PostEmbedding
from posts.types import Surface
from ranking import registry
from ranking.models import ModelVersion
from ranking.phoenix.artifacts import build_model
from ranking.phoenix.batch import TrainableTables
from ranking.serving import checkpoint
from ranking.training.presets import xsocial_config
from ranking.types import CandidateColumns
from xsocial.kernel import clock


def register(kind, *, seed=0, **changes) -> ModelVersion:
    torch.manual_seed(seed)
    config = xsocial_config(kind, num_layers=1, history=8, users=64, items=64, authors=64).replace(**changes)
    made = checkpoint.in_memory(build_model(config), TrainableTables(config))
    return registry.register(made, training={}, metrics={})


def embed(post, place: int) -> None:
    vector = np.zeros(384, dtype=np.float32)
    vector[place] = 1
    PostEmbedding.objects.create(post=post, model="minilm_v1", vector=vector)


def columns(written) -> CandidateColumns:
    return CandidateColumns(
        post_ids=np.array([post.pk for post in written]),
        author_ids=np.array([post.author_id for post in written]),
        created_ms=np.array([clock.to_ms(post.created_at) for post in written]),
        surface=int(Surface.HOME_FOR_YOU),
    )

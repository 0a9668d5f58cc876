"""Retrieval then ranking over a fixed corpus, as the published `run_pipeline.py` does it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from ranking.phoenix.actions import PIPELINE_WEIGHTS, action_names
from ranking.phoenix.artifacts import Artifact, Corpus, Sequence
from ranking.phoenix.batch import Candidates, Context
from ranking.phoenix.inference import RankerRuntime
from ranking.phoenix.recsys_retrieval_model import top_k as best

FloatArray = npt.NDArray[np.floating[Any]]
IntArray = npt.NDArray[np.int64]


@dataclass(frozen=True)
class PipelineResult:
    """Retrieved posts in retrieval order, and the same posts in final order with their scores."""

    user_representation: FloatArray
    corpus_scores: FloatArray
    retrieved_post_ids: IntArray
    retrieval_scores: FloatArray
    action_names: tuple[str, ...]
    probabilities: FloatArray  # [N, A], retrieval order
    weighted: FloatArray  # [N], retrieval order
    final_order: IntArray  # indices into the retrieval order

    @property
    def final_post_ids(self) -> IntArray:
        return self.retrieved_post_ids[self.final_order]

    @property
    def final_scores(self) -> FloatArray:
        return self.weighted[self.final_order]

    @property
    def final_retrieval_scores(self) -> FloatArray:
        return self.retrieval_scores[self.final_order]


def sequence_context(sequence: Sequence, *, history_len: int, num_actions: int) -> Context:
    """The first `history_len` items of a file (upstream's rule); actions out of range are dropped."""
    post_ids = torch.zeros(1, history_len, dtype=torch.int64)
    author_ids = torch.zeros_like(post_ids)
    actions = torch.zeros(1, history_len, num_actions)
    for place in range(min(history_len, len(sequence.post_ids))):
        post_ids[0, place] = sequence.post_ids[place]
        author_ids[0, place] = sequence.author_ids[place]
        for action, value in sequence.actions[place].items():
            if 0 <= action < num_actions:
                actions[0, place, action] = value
    return Context(
        user_ids=torch.tensor([sequence.user_id]),
        post_ids=post_ids,
        author_ids=author_ids,
        actions=actions,
        surface=torch.zeros_like(post_ids),
    )


def pipeline_weights(names: tuple[str, ...]) -> FloatArray:
    return np.array([PIPELINE_WEIGHTS.get(name, 0.0) for name in names], dtype=np.float32)


@torch.inference_mode()
def run_pipeline(
    *,
    retrieval: Artifact,
    ranker: Artifact,
    corpus: Corpus,
    sequence: Sequence,
    top_k: int,
) -> PipelineResult:
    """The best `top_k` posts of the corpus for a user, ranked by the published four weights."""
    history_len = retrieval.config.history_seq_len
    user = retrieval.model.encode_user(
        sequence_context(sequence, history_len=history_len, num_actions=retrieval.config.num_actions),
        retrieval.tables,
    )
    scores = user.vectors @ torch.from_numpy(corpus.vectors).T
    order, values = best(scores, min(top_k, len(corpus.post_ids)))
    chosen = order[0].numpy()
    context = sequence_context(sequence, history_len=history_len, num_actions=ranker.config.num_actions)
    slot_chunk = retrieval.config.candidate_seq_len
    runtime = RankerRuntime(ranker.model, ranker.tables, slot_chunk=slot_chunk)
    output = runtime.rank_batch(context, _candidates(corpus, chosen))
    names = action_names(ranker.config)
    probabilities = output.logits[0].sigmoid().numpy()
    weighted = probabilities @ pipeline_weights(names)
    return PipelineResult(
        user_representation=user.vectors[0].numpy(),
        corpus_scores=scores[0].numpy(),
        retrieved_post_ids=corpus.post_ids[chosen],
        retrieval_scores=values[0].numpy(),
        action_names=names,
        probabilities=probabilities,
        weighted=weighted,
        final_order=np.argsort(-weighted, kind="stable"),
    )


def _candidates(corpus: Corpus, chosen: IntArray) -> Candidates:
    post_ids = torch.from_numpy(corpus.post_ids[chosen])[None]
    return Candidates(
        post_ids=post_ids,
        author_ids=torch.from_numpy(corpus.author_ids[chosen])[None],
        surface=torch.zeros_like(post_ids),
    )

"""The straight part of the ranker: weights of signals by conditional logit, with as many and as free as last.

A few signals that each say something of their own, or all of them, with a strong or a weak ridge: which is
told by blocks of time left out in turn. Among settings that cannot be told apart the simplest is taken.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from ranking.benchmarking.measures import Array
from ranking.benchmarking.proposals import Proposals, judged, spread
from ranking.types import Floats, Int64s

MASKED = -1e9
FOLDS = 5
SOLVED_ON = 3_000
COMPARED_ON = 800
SOLVER_STEPS = 40
# What differs most: the tuned models, taste, the crowd, and popularity at four speeds.
FEW = (
    "recent_pop",
    "itemknn_recency",
    "recent_pop_x_itemknn",
    "ease_recency",
    "als",
    "tower",
    "crowd_3",
    "total",
    "age",
    "pop_0.125",
    "pop_1",
    "pop_3",
)


@dataclass(frozen=True)
class Form:
    """How the weights are found; `alone` names the only signal that counts."""

    few: bool
    ridge: float
    alone: str | None = None

    def columns(self, names: Sequence[str]) -> Int64s:
        if self.alone:
            return np.array([names.index(self.alone)])
        return np.array([place for place, name in enumerate(names) if not self.few or name in FEW])


# From the simplest on.
FORMS = (
    Form(few=True, ridge=1.0),
    Form(few=True, ridge=0.1),
    Form(few=True, ridge=0.01),
    Form(few=False, ridge=0.1),
    Form(few=False, ridge=0.01),
    Form(few=False, ridge=0.001),
)


def softmax_loss(scores: Tensor, block: Proposals) -> Tensor:
    """Cross-entropy of the targets among the proposals of their request; every request counts the same."""
    is_target = torch.from_numpy(block.is_target)
    return -((F.log_softmax(scores, -1) * is_target).sum(-1) / is_target.sum(-1)).mean()


def solve(examples: Proposals, names: Sequence[str], form: Form) -> Floats:
    """Weights [F]; those of signals left out are 0."""
    block = examples.take(spread(len(examples), SOLVED_ON))
    columns = form.columns(names)
    signals, padding = torch.from_numpy(block.signals[..., columns]), torch.from_numpy(block.items < 0)
    found = torch.zeros(len(columns), requires_grad=True)
    solver = torch.optim.LBFGS([found], max_iter=SOLVER_STEPS, history_size=20, line_search_fn="strong_wolfe")

    def closure() -> Tensor:
        solver.zero_grad()
        loss = softmax_loss((signals @ found).masked_fill(padding, MASKED), block)
        loss = loss + form.ridge * found.square().sum()
        loss.backward()
        return loss

    solver.step(closure)
    weights = np.zeros(len(names), dtype=np.float32)
    weights[columns] = found.detach().numpy()
    return weights


def choose(examples: Proposals, names: Sequence[str]) -> Form:
    """The simplest form whose NDCG@10 on blocks of time left out cannot be told from the best one's."""
    examples = examples.take(spread(len(examples), COMPARED_ON))
    if len(examples) < 2 * FOLDS:
        return FORMS[0]
    # Requests of one moment stay together, unless all are.
    fold = np.searchsorted(np.sort(examples.at), examples.at) * FOLDS // len(examples)
    if not fold.any():
        fold = np.arange(len(examples)) % FOLDS
    found = []
    for form in FORMS:
        figures = np.zeros(len(examples))
        for left_out in np.unique(fold).tolist():
            weights = solve(examples.take(np.flatnonzero(fold != left_out)), names, form)
            asked = np.flatnonzero(fold == left_out)
            block = examples.take(asked)
            figures[asked] = judged(block.signals @ weights, block)
        found.append(figures)
    return FORMS[simplest(found)]


def best_alone(examples: Proposals, names: Sequence[str], single: Iterable[str]) -> tuple[Form, Array]:
    """Of single signals the one that orders the examples best, and its NDCG@10 [R]."""
    found = {name: judged(examples.signals[..., names.index(name)], examples) for name in single}
    best = max(found, key=lambda name: found[name].mean())
    return Form(few=True, ridge=1.0, alone=best), found[best]


def is_clearly_better(one: Array, other: Array) -> bool:
    """By more than a standard error, on the same requests."""
    gain = one - other
    return bool(gain.mean() > gain.std() / np.sqrt(len(gain)))


def simplest(found: Sequence[Array]) -> int:
    """The first whose mean is within one standard error of the best mean, by the same requests."""
    gaps = max(found, key=np.mean) - np.stack(found)
    return int(np.argmax(gaps.mean(axis=1) <= gaps.std(axis=1) / np.sqrt(gaps.shape[1])))

"""Platt calibration per head: p = sigmoid(scale x logit + shift), fitted on held-out requests."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

MIN_POSITIVES = 5
STEPS = 50
RIDGE = 1e-3


def fit(logits: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
    """Scale and shift [A] from logits and labels [N, A]. Heads with few positives keep 1 and 0."""
    scale = torch.ones(logits.shape[1])
    shift = torch.zeros(logits.shape[1])
    for head in range(logits.shape[1]):
        positives = labels[:, head].sum()
        if MIN_POSITIVES <= positives <= len(labels) - MIN_POSITIVES:
            scale[head], shift[head] = _fit_head(logits[:, head].double(), labels[:, head].double())
    return scale, shift


def _fit_head(logits: Tensor, labels: Tensor) -> tuple[float, float]:
    with torch.enable_grad():
        weights = torch.tensor([1.0, 0.0], dtype=torch.float64, requires_grad=True)
        optimiser = torch.optim.LBFGS([weights], max_iter=STEPS, line_search_fn="strong_wolfe")

        def closure() -> Tensor:
            optimiser.zero_grad()
            entropy = F.binary_cross_entropy_with_logits(weights[0] * logits + weights[1], labels)
            value = entropy + RIDGE * ((weights[0] - 1) ** 2 + 0.01 * weights[1] ** 2)
            value.backward()
            return value

        optimiser.step(closure)
    scale, shift = weights.detach().tolist()
    return min(max(scale, 0.2), 3.0), min(max(shift, -3.0), 3.0)

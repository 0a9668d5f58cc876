"""Calibration per head, fitted on requests set apart: Platt or isotonic, whichever predicts unseen ones better.

Platt is one line in logits, p = sigmoid(scale x logit + shift); isotonic is the best rising step function,
smoothed to a few knots. Heads with few positives keep what the model says.
"""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F
from sklearn.isotonic import IsotonicRegression
from torch import Tensor

from ranking.serving.calibration import Calibration
from ranking.types import Floats

MIN_POSITIVES = 5
MIN_POSITIVES_ISOTONIC = 50
STEPS = 50
RIDGE = 1e-3
KNOTS = 48
# Beyond the outer knots the map goes on with slope 1.
REACH = 30.0
# Rise over flat steps, so that the order of candidates is kept.
LEAST_SLOPE = 0.02
SCALES, SHIFTS = (0.2, 3.0), (-3.0, 3.0)

Line = tuple[Floats, Floats]


def fit(logits: Tensor, labels: Tensor) -> tuple[Calibration, list[str]]:
    """The map and the method of each head, from logits and labels [N, A]."""
    knots, methods = [], []
    for head in range(logits.shape[1]):
        made, method = _fit_head(logits[:, head].double().numpy(), labels[:, head].double().numpy())
        knots.append(made)
        methods.append(method)
    x, y = (torch.from_numpy(np.stack(part)).float().contiguous() for part in zip(*knots, strict=True))
    return Calibration(x, y), methods


def _fit_head(logits: Floats, labels: Floats) -> tuple[Line, str]:
    positives = int(labels.sum())
    if not MIN_POSITIVES <= positives <= len(labels) - MIN_POSITIVES:
        return _line(1.0, 0.0), "none"
    if positives < MIN_POSITIVES_ISOTONIC:
        return platt(logits, labels), "platt"
    # Every other request's posts judge the maps fitted on the rest.
    fitted, judged = slice(0, None, 2), slice(1, None, 2)
    errors = {
        method: _entropy(make(logits[fitted], labels[fitted]), logits[judged], labels[judged])
        for method, make in METHODS.items()
    }
    best = min(errors, key=lambda method: errors[method])
    return METHODS[best](logits, labels), best


def platt(logits: Floats, labels: Floats) -> Line:
    """The line that predicts best, held near the model's own by a small ridge."""
    given, wanted = torch.from_numpy(logits), torch.from_numpy(labels)
    with torch.enable_grad():
        weights = torch.tensor([1.0, 0.0], dtype=torch.float64, requires_grad=True)
        optimiser = torch.optim.LBFGS([weights], max_iter=STEPS, line_search_fn="strong_wolfe")

        def closure() -> Tensor:
            optimiser.zero_grad()
            entropy = F.binary_cross_entropy_with_logits(weights[0] * given + weights[1], wanted)
            value = entropy + RIDGE * ((weights[0] - 1) ** 2 + 0.01 * weights[1] ** 2)
            value.backward()
            return value

        optimiser.step(closure)
    scale, shift = weights.detach().tolist()
    return _line(float(np.clip(scale, *SCALES)), float(np.clip(shift, *SHIFTS)))


def isotonic(logits: Floats, labels: Floats) -> Line:
    """The best rising map, averaged over equal shares of the logits: its first and last steps may be one example each,
    and a single positive at the end would make all that comes near it certain."""
    least = 1 / (len(labels) + 2)
    steps = IsotonicRegression(y_min=least, y_max=1 - least, out_of_bounds="clip").fit_transform(logits, labels)
    shares = np.array_split(np.argsort(logits, kind="stable"), min(KNOTS - 2, len(logits)))
    x, rates = (np.array([values[share].mean() for share in shares]) for values in (logits, steps))
    x = np.maximum.accumulate(x + np.arange(len(x)) * 1e-4)
    y = np.log(rates / (1 - rates)) + LEAST_SLOPE * (x - x.mean())
    return (
        np.concatenate([[x[0] - REACH], x, [x[-1] + REACH]]),
        np.concatenate([[y[0] - REACH], y, [y[-1] + REACH]]),
    )


def _line(scale: float, shift: float) -> Line:
    x = np.linspace(-REACH, REACH, KNOTS)
    return x, scale * x + shift


def _entropy(line: Line, logits: Floats, labels: Floats) -> float:
    mapped = Calibration(*(torch.from_numpy(part)[None] for part in line))(torch.from_numpy(logits)[:, None])
    return float(F.binary_cross_entropy_with_logits(mapped[:, 0], torch.from_numpy(labels)))


METHODS = {"platt": platt, "isotonic": isotonic}

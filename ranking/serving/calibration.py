"""Logits to calibrated logits: per head a rising piecewise-linear map, fitted after training."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class Calibration:
    """Knots [A, K]: head a maps `x[a]` to `y[a]`, linearly between knots and beyond the ends.

    A rising map keeps the order of candidates within a head.
    """

    x: Tensor
    y: Tensor

    def __call__(self, logits: Tensor) -> Tensor:
        """Calibrated logits of [..., A]."""
        columns = logits.movedim(-1, 0).reshape(len(self.x), -1).contiguous()
        right = torch.searchsorted(self.x, columns).clamp(1, self.x.shape[1] - 1)
        x0, x1 = self.x.gather(1, right - 1), self.x.gather(1, right)
        y0, y1 = self.y.gather(1, right - 1), self.y.gather(1, right)
        mapped = y0 + (columns - x0) * (y1 - y0) / (x1 - x0)
        return mapped.reshape(logits.movedim(-1, 0).shape).movedim(0, -1)

"""Ours: what a person liked and what a post says, compared directly.

Content vectors of any embedder share most of their direction, and a projection that starts at random takes
long to learn which differences count. Here both sides go through one basis that begins as the whitened
principal axes of the posts trained on:

    b(c) = (c - mean) W / |(c - mean) W|        profile = sum_i strength_i b(c_i), made a unit vector
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ranking.phoenix.batch import Context
from ranking.phoenix.config import PhoenixConfig

FITTED_ON = 20_000
# Axes along which posts hardly differ are not blown up without bound.
LEAST_SPREAD = 1e-3


class ContentMatch(nn.Module):
    """Unit vectors of contents and of what people liked; zero where nothing is known."""

    def __init__(self, config: PhoenixConfig) -> None:
        super().__init__()
        self.strength_at = config.history_feature_names.index("strength")
        self.mean = nn.Parameter(torch.zeros(config.content_size))
        self.basis = nn.Parameter(torch.zeros(config.content_size, config.emb_size))

    @torch.no_grad()
    def fit(self, content: Tensor) -> None:
        """Starts from the whitened principal axes of contents [N, content size]."""
        known = content[content.any(-1)]
        known = known[:: -(-len(known) // FITTED_ON) or 1].double()
        if len(known) < 2:
            return
        self.mean.copy_(known.mean(0))
        spread, axes = torch.linalg.eigh(torch.cov(known.T))
        size = self.basis.shape[1]
        axes, spread = axes[:, -size:], spread[-size:].clamp(min=LEAST_SPREAD**2)
        self.basis[:, : axes.shape[1]].copy_(axes / spread.sqrt())

    def forward(self, content: Tensor) -> Tensor:
        """[..., content size] to [..., D]."""
        return F.normalize((content - self.mean) @ self.basis, dim=-1) * content.any(-1, keepdim=True)

    def profile(self, context: Context) -> Tensor:
        """What the people of a context liked [B, D], each post as strongly as it was liked."""
        if context.content is None or context.features is None:
            return torch.zeros(len(context.user_ids), self.basis.shape[1], device=self.basis.device)
        strength = context.features[..., self.strength_at].clamp(min=0) * (context.post_ids != 0)
        return F.normalize((self(context.content) * strength[..., None]).sum(1), dim=-1)

"""Ours: what posts are about, found in who writes what.

Most of what a content vector holds (register, length, language) says little of whether somebody cares for a post.
What tells authors apart does: people keep to their subjects. So contents are seen along the axes in which authors
differ most beside what differs within an author (Fisher's discriminant), and grouped there by spherical k-means:

    z = unit((c - mean) basis)        membership = unit(exp(SHARPNESS centres . z))

Found once, when a ranker begins to be trained, and not changed by training: what people lean to is kept in these
terms, and means the same to all models that descend from that one.
"""

from __future__ import annotations

import zlib

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ranking.phoenix.config import PhoenixConfig

AXES = 48
SHARPNESS = 10.0
FITTED_ON = 50_000
LEAST_POSTS = 10  # per subject, else nothing is found
ROUNDS = 25
# What differs within authors is taken to differ at least so much, as a share of the mean over all directions.
LEAST_WITHIN = 0.02
# Of how much better an axis tells authors apart, this power counts.
POWER = 0.25


class Subjects(nn.Module):
    """How far contents are about each subject: unit vectors, zero where nothing is known or nothing was found yet."""

    def __init__(self, config: PhoenixConfig) -> None:
        super().__init__()
        size, axes = config.content_size, min(AXES, config.content_size)
        self.mean = nn.Parameter(torch.zeros(size), requires_grad=False)
        self.basis = nn.Parameter(torch.zeros(size, axes), requires_grad=False)
        self.centres = nn.Parameter(torch.zeros(axes, config.num_subjects), requires_grad=False)

    def __len__(self) -> int:
        return self.centres.shape[1]

    @property
    def is_found(self) -> bool:
        return bool(self.centres.any())

    @property
    def mark(self) -> int:
        """A number that only these subjects have; 0 before they are found."""
        return zlib.crc32(self.centres.detach().cpu().numpy().tobytes()) if self.is_found else 0

    @torch.no_grad()
    def find(self, content: npt.NDArray[np.float32], author_ids: npt.NDArray[np.int64]) -> None:
        """In contents [N, content size] and who wrote them; too few posts leave everything as it is."""
        known = np.flatnonzero(content.any(axis=1))
        known = known[:: -(-len(known) // FITTED_ON) or 1]
        if len(known) < LEAST_POSTS * len(self):
            return
        rows = torch.from_numpy(content[known]).double()
        mean = rows.mean(0)
        axes = _axes(rows - mean, torch.from_numpy(np.unique(author_ids[known], return_inverse=True)[1]))
        self.mean.copy_(mean)
        self.basis.copy_(axes[:, : self.basis.shape[1]])
        self.centres.copy_(_centres(self._placed(rows.float().to(self.mean.device)), len(self)).T)

    def _placed(self, content: Tensor) -> Tensor:
        return F.normalize((content - self.mean) @ self.basis, dim=-1)

    def forward(self, content: Tensor) -> Tensor:
        """[..., content size] to [..., subjects]."""
        if not self.is_found:
            return content.new_zeros(*content.shape[:-1], len(self))
        near = self._placed(content.to(self.mean.device)) @ self.centres
        return F.normalize(torch.exp(SHARPNESS * near), dim=-1).to(content.device) * content.any(-1, keepdim=True)


def subjects_of(model: nn.Module) -> Subjects | None:
    """A ranker's subjects; None for retrieval and for models without."""
    found = getattr(model, "subjects", None)
    return found if isinstance(found, Subjects) else None


def _axes(rows: Tensor, authors: Tensor) -> Tensor:
    """Directions by how well they tell authors apart [content size, content size], of centred contents [N, ...]."""
    count = torch.bincount(authors).clamp(min=1).to(rows.dtype)
    means = torch.zeros(len(count), rows.shape[1], dtype=rows.dtype).index_add_(0, authors, rows) / count[:, None]
    apart = rows - means[authors]
    within = apart.T @ apart / max(len(rows) - len(count), 1)
    between = rows.T @ rows / len(rows) - within
    spread, directions = torch.linalg.eigh(within)
    white = directions / (spread + LEAST_WITHIN * spread.mean() + torch.finfo(rows.dtype).tiny).sqrt()
    ratio, turned = torch.linalg.eigh(white.T @ between @ white)
    return (white @ turned * ratio.clamp(min=0) ** POWER).flip(1)


def _centres(rows: Tensor, count: int) -> Tensor:
    """Spherical k-means of unit rows [N, axes]: [count, axes]."""
    drawn = torch.from_numpy(np.random.default_rng(0).choice(len(rows), count, replace=False)).to(rows.device)
    centres = rows[drawn]
    for _ in range(ROUNDS):
        nearest = (rows @ centres.T).argmax(1)
        centres = F.normalize(torch.zeros_like(centres).index_add_(0, nearest, rows), dim=-1)
    return centres

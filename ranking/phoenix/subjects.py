"""Ours: what posts are about, found in who writes and who reads what.

Most of what a content vector holds (register, length, language) says little of whether somebody cares for a post.
What tells authors apart does, since people keep to their subjects, and so does what tells readers apart. So contents
are seen along the axes in which authors and readers differ most beside what differs within an author (Fisher's
discriminant), and grouped there by spherical k-means:

    z = unit((c - mean) basis)        membership = unit(exp(SHARPNESS centres . z))

Found once, when a ranker begins to be trained, and not changed by training: what people lean to is kept in these
terms, and means the same to all models that descend from that one.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass

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
LEAST_LOOKS = 30  # of a reader who is listened to
LEAST_READERS = 100
TRIES, ROUNDS = 4, 25
# Within authors contents are taken to differ at least so much, as a share of how they do at all in a mean direction.
LEAST_WITHIN = 0.02
# Of how much better an axis tells people apart, this power counts.
POWER = 0.1
TINY = torch.finfo(torch.float64).tiny


@dataclass(frozen=True)
class Opinions:
    """What looks at posts were worth to those who looked, columns of L looks in order of readers."""

    reader_ids: npt.NDArray[np.int64]  # [L]
    posts: npt.NDArray[np.int64]  # [L], rows of the contents that belong to them
    worth: npt.NDArray[np.float32]  # [L], as in `ranking.taste`


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
    def find(self, content: npt.NDArray[np.float32], author_ids: npt.NDArray[np.int64], opinions: Opinions) -> None:
        """In contents [N, content size], who wrote them [N] and what readers made of them; too few posts leave
        everything as it is."""
        known = np.flatnonzero(content.any(axis=1))
        known = known[:: -(-len(known) // FITTED_ON) or 1]
        if len(known) < LEAST_POSTS * len(self):
            return
        rows = torch.from_numpy(content[known]).double()
        mean = rows.mean(0)
        between, within = _by_authors(rows - mean, author_ids[known])
        between += _by_readers(torch.from_numpy(content), opinions)
        self.mean.copy_(mean)
        self.basis.copy_(_axes(between, within)[:, : self.basis.shape[1]])
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


def _by_authors(rows: Tensor, author_ids: npt.NDArray[np.int64]) -> tuple[Tensor, Tensor]:
    """How centred contents [N, ...] differ between authors, as a share of how they differ at all, and within them, in
    every direction somewhat."""
    authors = torch.from_numpy(np.unique(author_ids, return_inverse=True)[1])
    count = torch.bincount(authors).clamp(min=1).to(rows.dtype)
    means = torch.zeros(len(count), rows.shape[1], dtype=rows.dtype).index_add_(0, authors, rows) / count[:, None]
    apart = rows - means[authors]
    within = apart.T @ apart / max(len(rows) - len(count), 1)
    whole = rows.T @ rows / len(rows)
    scale = whole.trace().clamp(min=TINY)
    return (whole - within) / scale, within + LEAST_WITHIN * scale / len(whole) * torch.eye(len(whole))


def _by_readers(content: Tensor, opinions: Opinions) -> Tensor:
    """How what they prefer differs among readers, as a share of how it would if they preferred nothing: the more is
    known of each, the larger. Nothing of too few.

    A reader's preference is the sum of the contents seen, each by how much more than others it was worth.
    """
    size = content.shape[1]
    found, by_chance = torch.zeros(2, size, size, dtype=torch.float64)
    edges = np.flatnonzero(np.diff(opinions.reader_ids, prepend=-1, append=-1))
    heard = np.flatnonzero(np.diff(edges) >= LEAST_LOOKS)
    if len(heard) < LEAST_READERS:
        return found
    for first, last in zip(edges[heard].tolist(), edges[heard + 1].tolist(), strict=True):
        seen = content[opinions.posts[first:last]].double()
        worth = torch.from_numpy(opinions.worth[first:last]).double()
        seen, worth = seen - seen.mean(0), worth - worth.mean()
        preferred = worth @ seen
        found.addr_(preferred, preferred)
        by_chance.addmm_(seen.T, seen, alpha=float(worth.square().mean()))
    return (found - by_chance) / by_chance.trace().clamp(min=TINY)


def _axes(between: Tensor, within: Tensor) -> Tensor:
    """Directions by how well they tell people apart [content size, content size]."""
    spread, directions = torch.linalg.eigh(within)
    white = directions / spread.sqrt()
    ratio, turned = torch.linalg.eigh(white.T @ between @ white)
    return (white @ turned * ratio.clamp(min=0) ** POWER).flip(1)


def _centres(rows: Tensor, count: int) -> Tensor:
    """Spherical k-means of unit rows [N, axes], the best of several: [count, axes]."""
    rng, found = np.random.default_rng(0), []
    for _ in range(TRIES):
        centres = rows[torch.from_numpy(rng.choice(len(rows), count, replace=False)).to(rows.device)]
        for _ in range(ROUNDS):
            nearest = (rows @ centres.T).argmax(1)
            centres = F.normalize(torch.zeros_like(centres).index_add_(0, nearest, rows), dim=-1)
        found.append(centres)
    return max(found, key=lambda centres: float((rows @ centres.T).amax(1).mean()))

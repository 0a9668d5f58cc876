"""Candidate tokens for serving: what depends on the post alone apart from what depends on the request.

The input projection is linear, so it is cut into the rows of each part. Post, author and content give
one vector per post that can be kept; surface and post age become tables of finished vectors.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from ranking.phoenix.batch import Candidates, Tables
from ranking.phoenix.recsys_model import PhoenixRanker, post_age_bucket


class CandidateTokens:
    """`PhoenixRanker.candidate_tokens` for one user, equal up to rounding."""

    def __init__(self, model: PhoenixRanker, tables: Tables) -> None:
        config, size = model.config, model.config.emb_size
        self.config = config
        self.tables = tables
        matrix = model.candidate_projection.detach()
        hashes = (config.item_hash.num_hashes + config.author_hash.num_hashes) * size
        self._hashed = matrix[:hashes].contiguous()
        rest = list(matrix[hashes:].split(size))
        self._content = model.content_projection.detach() @ rest.pop(0) if config.content_size else None
        surface, age = model.surface_table.detach() @ rest[0], model.post_age_table.detach() @ rest[1]
        self._surface = F.pad(surface, (0, 0, 0, 1))  # the last row is zero: an index outside the table
        self._age = age
        self._features = model.candidate_features if config.num_candidate_features else None
        self._matched = model.matched
        self._features_out = self._features.out.detach() @ rest[2] if self._features is not None else None

    def project(self, post_ids: Tensor, author_ids: Tensor, content: Tensor | None) -> Tensor:
        """The part of the token [N, D] that only depends on the post."""
        posts, _ = self.tables.item(post_ids)
        authors, _ = self.tables.author(author_ids)
        rows = torch.cat([posts.flatten(-2), authors.flatten(-2)], dim=-1)
        projected = rows @ self._hashed
        if self._content is not None and content is not None:
            projected.addmm_(content, self._content)
        return projected

    def __call__(
        self, candidates: Candidates, projections: Tensor | None = None, profile: Tensor | None = None
    ) -> Tensor:
        """Tokens [N, D] of one user's candidates (B = 1)."""
        if projections is None:
            content = None if candidates.content is None else candidates.content[0]
            projections = self.project(candidates.post_ids[0], candidates.author_ids[0], content)
        surface, outside = candidates.surface[0], len(self._surface) - 1
        surface = torch.where((surface >= 0) & (surface < outside), surface, outside)
        age = post_age_bucket(candidates, self.config.post_age_granularity_mins)[0]
        tokens = projections + self._surface[surface]
        tokens += self._age[age]
        if self._features is not None and self._features_out is not None:
            features = candidates.features
            given = (
                tokens.new_zeros(len(tokens), self.config.num_candidate_features) if features is None else features[0]
            )
            content = None if candidates.content is None else candidates.content[0]
            given = self._matched(given, content, profile)
            hidden = F.gelu(given @ self._features.into + self._features.bias, approximate="tanh")
            tokens.addmm_(hidden, self._features_out)
        return tokens

"""Retrieval: a user tower (transformer) and a candidate tower (two layers) with unit-length outputs.

Twin of `phoenix/recsys_retrieval_model.py`. Their inner product is the retrieval score.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ranking.phoenix.batch import Context, Tables
from ranking.phoenix.config import PhoenixConfig
from ranking.phoenix.recsys_model import TokenBuilder
from ranking.phoenix.transformer import Transformer, context_positions, fan_in

INITIAL_TEMPERATURE = 0.1
INITIAL_MATCH_WEIGHT = 0.7
MASKED_SCORE = -1e12


def normalise(x: Tensor) -> tuple[Tensor, Tensor]:
    """x / |x| and |x| (kept apart from zero) along the last axis."""
    norm = x.square().sum(-1, keepdim=True).clamp(min=1e-12).sqrt()
    return x / norm, norm


@dataclass(frozen=True)
class UserRepresentation:
    """Unit vectors [B, D] and their norms before normalising [B, 1]."""

    vectors: Tensor
    norm: Tensor


class PhoenixRetrieval(TokenBuilder):
    """Encodes users and posts into one space."""

    def __init__(self, config: PhoenixConfig) -> None:
        super().__init__(config)
        size = config.emb_size
        self.transformer = Transformer(config)
        if config.linear_candidate_tower:
            self.tower_in = fan_in(config.num_post_parts * size, 2 * size)
            self.tower_out = fan_in(2 * size, size)
        if config.content_match:
            self.match_weight = nn.Parameter(torch.tensor(INITIAL_MATCH_WEIGHT))
        # By `math`: a tensor without storage would have torch load its whole compiler, seconds of every start.
        self.log_temperature = nn.Parameter(torch.tensor(math.log(INITIAL_TEMPERATURE)))

    def encode_user(self, context: Context, tables: Tables) -> UserRepresentation:
        """Mean of the valid output tokens, user included, normalised. No final norm.

        Ours: with a `pooling_decay` below 1, a token weighs decay^(valid tokens after it).
        """
        tokens, valid = self.context_tokens(context, tables)
        # The published retrieval model never right-anchors; ours does when its config says so.
        positions = context_positions(
            valid[:, 1:],
            history_len=self.config.history_seq_len,
            right_anchored=self.config.right_anchored_rope,
        )
        x, _ = self.transformer.context(tokens, positions, valid)
        weights = valid[..., None].float()
        if self.config.pooling_decay < 1:
            after = weights.sum(1, keepdim=True) - weights.cumsum(1)
            weights = weights * self.config.pooling_decay**after
        pooled = (x * weights).sum(1) / weights.sum(1).clamp(min=1.0)
        if self.config.content_match:
            pooled = self._beside(pooled, self.content_match.profile(context))
        return UserRepresentation(*normalise(pooled))

    def _beside(self, x: Tensor, content: Tensor) -> Tensor:
        """The direction of the content beside the direction of x: contents meet whatever else the towers learn."""
        return normalise(x)[0] + self.match_weight * content

    def encode_posts(
        self,
        post_ids: Tensor,
        author_ids: Tensor,
        tables: Tables,
        *,
        content: Tensor | None = None,
    ) -> Tensor:
        """Unit vectors [..., D] of posts."""
        parts, _ = self.post_parts(post_ids, author_ids, content, tables)
        joined = torch.cat(parts, dim=-1)
        if not self.config.linear_candidate_tower:
            return normalise(joined.unflatten(-1, (-1, self.config.emb_size)).mean(-2))[0]
        out = F.silu(joined @ self.tower_in) @ self.tower_out
        if self.config.content_match and content is not None:
            out = self._beside(out, self.content_match(content))
        return normalise(out)[0]


def top_k(scores: Tensor, k: int, mask: Tensor | None = None) -> tuple[Tensor, Tensor]:
    """The k best columns of [B, N] by descending score; equal scores in order of index."""
    if mask is not None:
        scores = scores.masked_fill(~mask, MASKED_SCORE)
    values, order = scores.sort(dim=-1, descending=True, stable=True)
    return order[..., :k], values[..., :k]

"""The ranker: a user, a history and candidates in; a logit per action and candidate out.

Twin of `phoenix/recsys_model.py`. The `xsocial` configuration adds, by non-zero sizes in the config, a
projected content embedding to posts, features to history items and features to candidates.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ranking.phoenix.batch import Candidates, Context, Tables
from ranking.phoenix.config import (
    DWELL_SCALE_SECONDS,
    MAX_POST_AGE_MINUTES,
    PhoenixConfig,
)
from ranking.phoenix.content_match import ContentMatch
from ranking.phoenix.subjects import Subjects
from ranking.phoenix.transformer import (
    ContextCache,
    RMSNorm,
    Transformer,
    candidate_positions,
    context_positions,
    fan_in,
)


@dataclass(frozen=True)
class RankerOutput:
    """Logits [B, C, A] and continuous predictions in (0, 1) [B, C, continuous]."""

    logits: Tensor
    continuous: Tensor


def rows_or_zero(table: Tensor, index: Tensor) -> Tensor:
    """Table rows; the zero vector outside the table, as a product with a one-hot vector gives."""
    inside = (index >= 0) & (index < table.shape[0])
    return table[index.clamp(0, table.shape[0] - 1)] * inside[..., None]


def action_embedding(actions: Tensor, projection: Tensor) -> Tensor:
    """Signed multi-hot (absent -1, present +1) times the projection; zero when nothing happened."""
    anything = (actions != 0).any(-1, keepdim=True)
    return ((2 * actions - 1) @ projection) * anything


def post_age_bucket(candidates: Candidates, granularity: int) -> Tensor:
    """Age bucket [B, C]: 0 unknown or clock skew, then one per step, last one for 80 hours and more."""
    impression, creation = candidates.impression_seconds, candidates.creation_seconds
    if impression is None or creation is None:
        return torch.zeros_like(candidates.post_ids)
    age = (impression - creation).div(60, rounding_mode="floor")
    bucket = (age.div(granularity, rounding_mode="floor") + 1).clamp(0, MAX_POST_AGE_MINUTES // granularity + 1)
    unknown = (age < 0) | (impression == 0) | (creation == 0)
    return bucket.masked_fill(unknown, 0)


def normalised_dwell(seconds: Tensor, *, use_log: bool) -> Tensor:
    """Dwell clipped to 30 s and scaled to 0..1, linearly or by logarithm."""
    clipped = seconds.clamp(0, DWELL_SCALE_SECONDS)
    if use_log:
        return clipped.log1p() / torch.tensor(DWELL_SCALE_SECONDS).log1p()
    return clipped / DWELL_SCALE_SECONDS


class FeatureProjection(nn.Module):
    """Numbers to an embedding through one hidden layer (ours; zero input is not zero output)."""

    def __init__(self, inputs: int, hidden: int, outputs: int) -> None:
        super().__init__()
        self.into = fan_in(inputs, hidden)
        self.bias = nn.Parameter(torch.zeros(hidden))
        self.out = fan_in(hidden, outputs)

    def forward(self, x: Tensor) -> Tensor:
        return F.gelu(x @ self.into + self.bias, approximate="tanh") @ self.out


class TokenBuilder(nn.Module):
    """What ranker and user tower share: user and history tokens."""

    def __init__(self, config: PhoenixConfig) -> None:
        super().__init__()
        self.config = config
        size = config.emb_size
        self.surface_table = fan_in(config.product_surface_vocab_size, size)
        self.action_projection = fan_in(config.num_actions, size)
        self.user_projection = fan_in(config.user_hash.num_hashes * size, size)
        self.history_projection = fan_in(config.num_history_parts * size, size)
        if config.content_size:
            self.content_projection = fan_in(config.content_size, size)
        if config.content_match:
            self.content_match = ContentMatch(config)
        if config.num_history_features:
            self.history_features = FeatureProjection(config.num_history_features, config.feature_hidden, size)

    def post_parts(
        self,
        post_ids: Tensor,
        author_ids: Tensor,
        content: Tensor | None,
        tables: Tables,
    ) -> tuple[list[Tensor], Tensor]:
        """Parts that represent posts (hash rows, ours: content), and which posts are valid."""
        posts, valid = tables.item(post_ids)
        authors, _ = tables.author(author_ids)
        parts = [posts.flatten(-2), authors.flatten(-2)]
        if self.config.content_size:
            if content is None:
                parts.append(posts.new_zeros(*post_ids.shape, self.config.emb_size))
            else:
                parts.append(content @ self.content_projection)
        return parts, valid

    def user_token(self, context: Context, tables: Tables) -> tuple[Tensor, Tensor]:
        rows, valid = tables.user(context.user_ids)
        token = rows.flatten(-2) @ self.user_projection
        if context.user_ip_rows is not None:
            token = token + context.user_ip_rows.sum(-2)
        return token, valid

    def context_tokens(self, context: Context, tables: Tables) -> tuple[Tensor, Tensor]:
        """[user, history] as [B, 1 + S, D] and their validity [B, 1 + S]."""
        user, user_valid = self.user_token(context, tables)
        parts, valid = self.post_parts(context.post_ids, context.author_ids, context.content, tables)
        parts.append(action_embedding(context.actions, self.action_projection))
        parts.append(rows_or_zero(self.surface_table, context.surface))
        parts += self.extra_history_parts(context)
        history = torch.cat(parts, dim=-1) @ self.history_projection
        tokens = torch.cat([user[:, None], history], dim=1)
        return tokens, torch.cat([user_valid[:, None], valid], dim=1)

    def extra_history_parts(self, context: Context) -> list[Tensor]:
        if not self.config.num_history_features:
            return []
        if context.features is None:
            return [torch.zeros(*context.post_ids.shape, self.config.emb_size)]
        return [self.history_features(context.features)]


class PhoenixRanker(TokenBuilder):
    """Scores each candidate from the context and itself alone."""

    def __init__(self, config: PhoenixConfig) -> None:
        super().__init__(config)
        size = config.emb_size
        self.candidate_projection = fan_in(config.num_candidate_parts * size, size)
        self.dwell_in = fan_in(1, config.dwell_hidden)
        self.dwell_out = fan_in(config.dwell_hidden, size)
        self.post_age_table = fan_in(config.num_age_buckets, size)
        if config.num_candidate_features:
            inputs = config.num_candidate_features + config.content_match
            self.candidate_features = FeatureProjection(inputs, config.feature_hidden, size)
        self.transformer = Transformer(config)
        self.subjects = Subjects(config) if config.num_subjects else None
        self.final_norm = RMSNorm(size)
        self.action_head = fan_in(size, config.num_actions)
        if config.head_bias:
            self.action_bias = nn.Parameter(torch.zeros(config.num_actions))
        self.continuous_head = fan_in(size, config.num_continuous)

    def extra_history_parts(self, context: Context) -> list[Tensor]:
        seconds = context.dwell_seconds
        if seconds is None:
            seconds = torch.zeros_like(context.post_ids, dtype=torch.float32)
        dwell = normalised_dwell(seconds, use_log=self.config.dwell_use_log)[..., None]
        embedded = F.gelu(dwell @ self.dwell_in, approximate="tanh") @ self.dwell_out
        return [embedded, *super().extra_history_parts(context)]

    def profile(self, context: Context) -> Tensor | None:
        """What the people of a context liked [B, D], for the content match; None for a model without it."""
        return self.content_match.profile(context) if self.config.content_match else None

    def matched(self, features: Tensor, content: Tensor | None, profile: Tensor | None) -> Tensor:
        """Features [..., C, F], with the likeness of each content to the profile [..., D] as one more."""
        if not self.config.content_match:
            return features
        likeness = features.new_zeros(*features.shape[:-1], 1)
        if content is not None and profile is not None:
            # Not as a product with one column, whose sums go in an order that depends on the number of rows.
            likeness = (self.content_match(content) * profile[..., None, :]).sum(-1, keepdim=True)
        return torch.cat([features, likeness], dim=-1)

    def candidate_tokens(
        self, candidates: Candidates, tables: Tables, profile: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        """[B, C, D] and validity [B, C]."""
        parts, valid = self.post_parts(candidates.post_ids, candidates.author_ids, candidates.content, tables)
        parts.append(rows_or_zero(self.surface_table, candidates.surface))
        age = post_age_bucket(candidates, self.config.post_age_granularity_mins)
        parts.append(rows_or_zero(self.post_age_table, age))
        if self.config.num_candidate_features:
            features = candidates.features
            if features is None:
                features = torch.zeros(*age.shape, self.config.num_candidate_features)
            parts.append(self.candidate_features(self.matched(features, candidates.content, profile)))
        return torch.cat(parts, dim=-1) @ self.candidate_projection, valid

    def encode_context(self, context: Context, tables: Tables) -> ContextCache:
        tokens, valid = self.context_tokens(context, tables)
        positions = context_positions(
            valid[:, 1:],
            history_len=self.config.history_seq_len,
            right_anchored=self.config.right_anchored_rope,
        )
        return self.transformer.context(tokens, positions, valid, need_output=False)[1]

    def heads(self, x: Tensor) -> RankerOutput:
        y = self.final_norm(x)
        logits = y @ self.action_head
        if self.config.head_bias:
            logits = logits + self.action_bias
        return RankerOutput(logits, torch.sigmoid(y @ self.continuous_head))

    def forward(self, context: Context, candidates: Candidates, tables: Tables) -> RankerOutput:
        cache = self.encode_context(context, tables)
        tokens, _ = self.candidate_tokens(candidates, tables, self.profile(context))
        positions = candidate_positions(
            tokens.shape[1],
            history_len=self.config.history_seq_len,
            right_anchored=self.config.right_anchored_rope,
        ).to(tokens.device)
        return self.heads(self.transformer.candidates(tokens, positions, cache))

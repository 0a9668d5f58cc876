"""Blocks of examples as model input, in batches of like size so that little of a batch is padding."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

import numpy as np
import torch
from torch import Tensor

from ranking.features import HistoryColumns, history_features
from ranking.heads import multi_hot
from ranking.phoenix.actions import CONTINUOUS_HEADS, NEGATIVE_FEEDBACK, continuous_units
from ranking.phoenix.batch import Candidates, Context
from ranking.phoenix.config import PhoenixConfig
from ranking.types import Int64s

if TYPE_CHECKING:
    from ranking.training.dataset import Dataset, Examples

# Batches are cut from groups of so many: by page length first, then by history length.
WIDTHS, LENGTHS = 4, 4


B = TypeVar("B", Context, Candidates, "Targets")


def moved(batch: B, device: torch.device) -> B:
    """The same tensors on a device."""
    fields = {name: None if value is None else value.to(device) for name, value in vars(batch).items()}
    return type(batch)(**fields)


def batches(examples: Examples, *, size: int) -> Iterator[Examples]:
    """Blocks of requests in order."""
    for start in range(0, len(examples), size):
        yield examples.take(slice(start, start + size))


def shuffled(examples: Examples, *, size: int, history: int, seed: tuple[int, ...]) -> list[Int64s]:
    """Indices of all batches of an epoch in random order; requests of like shape share a batch."""
    rng = np.random.default_rng(seed)
    order = rng.permutation(len(examples))
    width = (examples.posts >= 0).sum(axis=1)
    length = np.minimum((examples.history >= 0).sum(axis=1), history)
    out: list[Int64s] = []
    for start in range(0, len(order), size * WIDTHS * LENGTHS):
        group = order[start : start + size * WIDTHS * LENGTHS]
        group = group[np.argsort(width[group], kind="stable")]
        for alike in np.split(group, range(size * LENGTHS, len(group), size * LENGTHS)):
            alike = alike[np.argsort(length[alike], kind="stable")]
            out += np.split(alike, range(size, len(alike), size))
    return [out[place] for place in rng.permutation(len(out))]


def history_columns(dataset: Dataset, history: Int64s) -> HistoryColumns:
    """History rows [R, S] as columns."""
    index = np.maximum(history, 0)
    valid = history >= 0
    post = dataset.row_posts[index]
    content = dataset.posts.content[np.maximum(post, 0)]
    content[~valid | (post < 0)] = 0
    return HistoryColumns(
        author_ids=np.where(valid, dataset.rows.author_ids[index], 0),
        action_bits=np.where(valid, dataset.rows.action_bits[index], 0),
        first_ms=np.where(valid, dataset.rows.first_ms[index], 0),
        content=content,
        valid=valid,
    )


def newest(history: Int64s, length: int) -> Int64s:
    """The newest `length` of left-aligned rows, left-aligned again, without columns of mere padding."""
    count = (history >= 0).sum(axis=1, keepdims=True)
    index = np.maximum(count - length, 0) + np.arange(min(length, int(count.max(initial=1)) or 1))
    taken = np.take_along_axis(history, np.minimum(index, history.shape[1] - 1), axis=1)
    return np.where(index < count, taken, -1)


def context_batch(dataset: Dataset, block: Examples, config: PhoenixConfig) -> Context:
    """The users and histories of some requests as model input."""
    history = newest(block.history, config.history_seq_len)
    columns = history_columns(dataset, history)
    index = np.maximum(history, 0)
    rows = dataset.rows
    features = history_features(columns, names=config.history_feature_names)
    return Context(
        user_ids=torch.from_numpy(block.user_ids),
        post_ids=torch.from_numpy(np.where(columns.valid, rows.post_ids[index], 0)),
        author_ids=torch.from_numpy(columns.author_ids),
        actions=torch.from_numpy(multi_hot(columns.action_bits, config.action_names)),
        surface=torch.from_numpy(np.where(columns.valid, rows.surfaces[index], 0)),
        dwell_seconds=torch.from_numpy(rows.dwell_seconds[index] * columns.valid),
        content=torch.from_numpy(columns.content),
        features=torch.from_numpy(features),
    )


def candidate_batch(dataset: Dataset, block: Examples) -> Candidates:
    """The posts of some requests, shown and sampled, as model input."""
    is_post = block.posts >= 0
    index = np.maximum(block.posts, 0)
    posts = dataset.posts
    content = posts.content[index]
    content[~is_post] = 0
    return Candidates(
        post_ids=torch.from_numpy(np.where(is_post, posts.ids[index], 0)),
        author_ids=torch.from_numpy(np.where(is_post, posts.author_ids[index], 0)),
        surface=torch.from_numpy(block.surfaces),
        impression_seconds=torch.from_numpy(block.impression_ms // 1000),
        creation_seconds=torch.from_numpy(posts.created_ms[index] // 1000),
        content=torch.from_numpy(content),
        features=torch.from_numpy(block.features),
    )


@dataclass(frozen=True)
class Targets:
    """What the ranker should say: per head [R, C, A] with the mask of heads that count, and in 0..1 the
    continuous ones [R, C, K], -1 where unknown."""

    discrete: Tensor
    mask: Tensor
    continuous: Tensor


def targets(block: Examples, config: PhoenixConfig) -> Targets:
    """Labels of a block. A sampled post says nothing about negative feedback: nobody saw it, so nobody
    could have objected, and easy zeros would teach that unfamiliar posts are safe."""
    unknown = np.full(block.posts.shape, np.nan, dtype=np.float32)
    known = {
        "dwell_time": np.where(block.dwell_seconds > 0, block.dwell_seconds, np.nan),
        "click_dwell_time": np.where(block.click_seconds > 0, block.click_seconds, np.nan),
        "active_secs_5m_residual_norm": block.active_residual,
    }
    names = config.continuous_names or CONTINUOUS_HEADS
    slopes, shifts = continuous_units(names)
    values = np.stack([known.get(name, unknown) for name in names], axis=-1)
    shares = np.clip((values - np.float32(shifts)) / np.float32(slopes), 0, 1)
    continuous = np.nan_to_num(shares, nan=-1.0).astype(np.float32)
    is_negative = np.isin(config.action_names, NEGATIVE_FEEDBACK)
    mask = (block.posts >= 0)[..., None] & ~(block.is_sampled[..., None] & is_negative)
    discrete = multi_hot(block.label_bits, config.action_names)
    return Targets(torch.from_numpy(discrete), torch.from_numpy(mask), torch.from_numpy(continuous))

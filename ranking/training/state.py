"""The state of a training run on disk: one safetensors file, replaced at once or not at all."""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from xsocial.kernel.errors import Conflict, NotFound

FACTS = "facts"


@dataclass
class StateFile:
    """Tensors by name, and facts as JSON in the file's header; `about` goes into the facts as it is."""

    path: Path
    about: dict[str, Any] = field(default_factory=dict)

    def save(self, tensors: dict[str, Tensor], facts: dict[str, Any]) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        draft = self.path.with_suffix(".draft")
        whole = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
        save_file(whole, draft, metadata={FACTS: json.dumps({**facts, "about": self.about})})
        os.replace(draft, self.path)

    def load(self) -> tuple[dict[str, Tensor], dict[str, Any]]:
        """Raises NotFound without a readable file."""
        try:
            with safe_open(self.path, framework="pt") as file:
                facts = json.loads(file.metadata()[FACTS])
                tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (no mapping)
        except (OSError, SafetensorError) as error:
            raise NotFound(f"There is no training run to resume in {self.path.parent} ({error}).") from None
        self.about = facts.pop("about")
        return tensors, facts

    def remove(self) -> None:
        self.path.unlink(missing_ok=True)


@contextmanager
def only_one(folder: Path, kinds: Sequence[str]) -> Iterator[None]:
    """Raises Conflict while another process of this machine trains one of these; locks die with their holder."""
    folder.mkdir(parents=True, exist_ok=True)
    with ExitStack() as held:
        for kind in kinds:
            file = held.enter_context((folder / f"{kind}.lock").open("w"))
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise Conflict(f"Another training run of the {kind} is going on.") from None
        yield

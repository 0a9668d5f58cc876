"""Low-rank changes to MiniLM's upper layers, with which it reads how a text speaks of people.

W' = W + up @ down for every weight matrix of these layers (LoRA, Hu and others 2021). `grox_train` learns them together
with one output a class, from the labelled files with thousands of texts; the heads read what the last layer then says.
"""

import hashlib
import json
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from xsocial.kernel.errors import NotFound

FOLDER = Path(__file__).parent.parent / "artifacts" / "adapter"


@dataclass(frozen=True)
class Adapter:
    """`down` [R, in] and `up` [out, R] by the weight they change, such as "3.output.dense"; and an output a class."""

    down: dict[str, NDArray[np.float32]]
    up: dict[str, NDArray[np.float32]]
    outputs: tuple[tuple[str, str], ...]
    output_weights: NDArray[np.float32]  # [outputs, 384]
    output_bias: NDArray[np.float32]  # [outputs]
    about: dict[str, Any] = field(default_factory=dict)

    def deltas(self) -> dict[str, Tensor]:
        """What to add to each weight, by its name."""
        return {f"{name}.weight": torch.from_numpy(self.up[name] @ self.down[name]) for name in self.down}


def save(adapter: Adapter, folder: Path) -> None:
    """Write the adapter's two files, rounded to float16."""
    folder.mkdir(parents=True, exist_ok=True)
    arrays = {f"down.{name}": value for name, value in adapter.down.items()}
    arrays |= {f"up.{name}": value for name, value in adapter.up.items()}
    arrays |= {"output_weights": adapter.output_weights, "output_bias": adapter.output_bias}
    np.savez_compressed(folder / "adapter.npz", **{name: value.astype(np.float16) for name, value in arrays.items()})
    load.cache_clear()
    about = {"outputs": adapter.outputs, **adapter.about}
    (folder / "adapter.json").write_text(json.dumps(about, indent=1) + "\n")


@lru_cache(maxsize=4)
def load(folder: Path = FOLDER) -> Adapter:
    """Read an adapter, once per process. Raise NotFound when none was trained."""
    try:
        about = json.loads((folder / "adapter.json").read_text())
        with np.load(folder / "adapter.npz") as stored:
            arrays = {name: stored[name].astype(np.float32) for name in stored.files}
    except FileNotFoundError as error:
        raise NotFound("there is no trained adapter") from error
    return Adapter(
        down={name.removeprefix("down."): value for name, value in arrays.items() if name.startswith("down.")},
        up={name.removeprefix("up."): value for name, value in arrays.items() if name.startswith("up.")},
        outputs=tuple((task, name) for task, name in about.pop("outputs")),
        output_weights=arrays["output_weights"],
        output_bias=arrays["output_bias"],
        about=about,
    )


def sha256(folder: Path = FOLDER) -> str:
    """The hash by which a head names the adapter whose readings it was fitted to."""
    with (folder / "adapter.npz").open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()

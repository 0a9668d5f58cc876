"""The truth: probabilities with which people of the demo world act. For evaluation only.

Nothing that serves or trains may import this module, and no table holds what it writes.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from django.conf import settings

from feed.simulation.behaviour import HEADS
from feed.simulation.world import World

TRUTH_FILE = "oracle.npz"


@dataclass(frozen=True)
class Truth:
    """True probabilities [n, H] of impressions of the last two days, by impression id."""

    impression_ids: np.ndarray
    probabilities: np.ndarray
    head_names: tuple[str, ...]


def truth_path() -> Path:
    return Path(settings.DATA_DIR) / "world" / TRUTH_FILE


def write_truth(world: World, impression_ids: np.ndarray) -> Path:
    """Keep the truth beside the database; `impression_ids` are in the order of the history."""
    truth = world.recorded.truth
    path = truth_path()
    path.parent.mkdir(parents=True, exist_ok=True)
    np.savez_compressed(
        path,
        impression_id=impression_ids[truth["impression"]],
        heads=truth["probabilities"].astype(np.float32),
        head_names=np.array(HEADS),
    )
    return path


def read_truth(path: Path | None = None) -> Truth:
    """The truth of the world seeded last. Raises FileNotFoundError where none was seeded."""
    with np.load(path or truth_path()) as file:
        return Truth(file["impression_id"], file["heads"], tuple(file["head_names"].tolist()))

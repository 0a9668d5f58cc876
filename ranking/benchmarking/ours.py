"""Our two stages on an interactions table: Phoenix retrieval proposes, the Phoenix ranker orders.

Stage one is trained on what comes before the ranker's examples, the ranker on those; then stage one is
trained again on everything known at the test, while the ranker stays as it is.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from ranking.benchmarking.interactions import Interactions
from ranking.benchmarking.known import Known
from ranking.benchmarking.proposals import BLOCK, Proposals, Reader, collect, training_proposals, training_splits
from ranking.benchmarking.protocols import Requests
from ranking.benchmarking.ranker import Ranker
from ranking.benchmarking.towers import Sizes, Towers
from ranking.training.presets import TrainingSettings
from ranking.types import Floats, Int64s
from xsocial.kernel.errors import Invalid

TOWER_SIZES = Sizes(width=64, layers=2, history=50)
RANKER_SIZES = Sizes(width=32, layers=1, history=20)
TOWER_SETTINGS = TrainingSettings(epochs=12, batch_requests=32, learning_rate=2e-3, table_learning_rate=0.05)
RANKER_SETTINGS = TrainingSettings(
    epochs=4, batch_requests=64, learning_rate=2e-3, table_learning_rate=0.02, item_dropout=0.3, weight_decay=0.05
)
# Below every score of a proposal.
NOT_PROPOSED = -1e6


@dataclass(frozen=True)
class Budget:
    """Minutes for each of the three trainings; 0 is no bound."""

    towers: float = 2.0
    ranker: float = 2.0


def train_towers(known: Known, *, seed: int, minutes: float, quiet: bool = False) -> Towers:
    """Retrieval on everything known."""
    return Towers(known, replace(TOWER_SETTINGS, seed=seed, minutes=minutes), TOWER_SIZES, quiet=quiet)


def train_ranker(
    table: Interactions, protocol: str, *, seed: int, budget: Budget, quiet: bool = False
) -> tuple[Ranker, Towers]:
    """A ranker for the protocol, from interactions before the validation, and the retrieval it learned with."""
    rng = np.random.default_rng(seed)
    splits = [split for split in training_splits(table, protocol) if len(split.requests) and split.fit.any()]
    if not splits:
        raise Invalid("The table is too small to train a ranker on.")
    towers = train_towers(Known.of(table, splits[0]), seed=seed, minutes=budget.towers, quiet=quiet)
    parts = []
    for split in splits:
        reader = Reader(Known.of(table, split), towers, split.requests)
        parts.append(training_proposals(reader, split.requests, RANKER_SIZES.history, rng))
    examples = Proposals.joined(parts)
    if not len(examples):
        raise Invalid("The table is too small to train a ranker on.")
    settings = replace(RANKER_SETTINGS, seed=seed, minutes=budget.ranker)
    known = Known.of(table, splits[-1])
    ranker = Ranker(known, reader.names, examples, settings, RANKER_SIZES, quiet=quiet)
    return ranker, towers


def proposals_of(known: Known, towers: Towers, requests: Requests) -> Proposals:
    """Proposals of requests that are in order of time."""
    reader = Reader(known, towers, requests)
    blocks = [np.arange(start, min(start + BLOCK, len(requests))) for start in range(0, len(requests), BLOCK)]
    return Proposals.joined(
        [collect(reader, requests, block, RANKER_SIZES.history, with_targets=False) for block in blocks]
    )


class Phoenix:
    """Both stages, asked in order of time: all items, those proposed first, in the ranker's order."""

    def __init__(self, known: Known, towers: Towers, ranker: Ranker, requests: Requests) -> None:
        self.reader = Reader(known, towers, requests)
        self.ranker = ranker
        self.known = known

    def ask(self, requests: Requests, index: Int64s) -> Floats:
        """Scores [R, N]."""
        proposals = collect(self.reader, requests, index, RANKER_SIZES.history, with_targets=False)
        scores = np.full((len(index), self.known.num_items), NOT_PROPOSED, dtype=np.float32)
        found = self.ranker.scores(proposals)
        for row, items, mine in zip(scores, proposals.items, found, strict=True):
            row[items[items >= 0]] = mine[items >= 0]
        return scores

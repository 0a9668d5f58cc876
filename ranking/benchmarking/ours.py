"""Our two stages on an interactions table: Phoenix retrieval proposes, the Phoenix ranker orders.

Stage one is trained on what comes before the ranker's examples, the ranker on those. How free its linear
part is and how much of its transformer counts is chosen before the test; then the ranker learns from the
validation, too, and stage one is trained again on everything known at the test.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np

from ranking.benchmarking.baselines import Model
from ranking.benchmarking.interactions import Interactions
from ranking.benchmarking.known import Known
from ranking.benchmarking.linear import Form, best_alone, choose, is_clearly_better, simplest
from ranking.benchmarking.proposals import Proposals, Reader, collect, collected_within, judged, training_splits
from ranking.benchmarking.protocols import Requests, Split
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
# How much of the transformer counts, from the simplest on.
DEPTHS = (0.0, 0.5, 1.0)
# Baselines whose scores the ranker reads, as they were tuned.
READ = ("recent_pop", "itemknn_recency", "recent_pop_x_itemknn", "ease_recency", "als")
# Below every score of a proposal.
NOT_PROPOSED = -1e6

Makers = Mapping[str, Callable[[Known], Model]]


@dataclass(frozen=True)
class Budget:
    """Minutes for each of the two trainings of each stage (0 is no bound), for what live evaluation fits anew on
    the way, and for reading training and validation requests each; of how many the ranker learns."""

    towers: float = 2.0
    ranker: float = 1.0
    renewals: float = 1.0
    reading: float = 1.0
    examples: int = 4_000


@dataclass(frozen=True)
class Chosen:
    """What was told before the test."""

    form: Form
    depth: float
    validation: float  # NDCG@10


def train_towers(known: Known, *, seed: int, minutes: float, quiet: bool = False) -> Towers:
    """Retrieval on everything known."""
    return Towers(known, replace(TOWER_SETTINGS, seed=seed, minutes=minutes), TOWER_SIZES, quiet=quiet)


def train_ranker(
    table: Interactions,
    protocol: str,
    validation: Split,
    others: Makers,
    *,
    seed: int,
    budget: Budget,
    quiet: bool = False,
) -> tuple[Ranker, Chosen]:
    """A ranker for the protocol from interactions before the test."""
    splits = training_splits(table, protocol)
    most = -(-budget.examples // max(len(splits), 1))
    splits = [sample(split, most, seed) for split in splits if len(split.requests) and split.fit.any()]
    if not splits:
        raise Invalid("The table is too small to train a ranker on.")
    towers = train_towers(Known.of(table, splits[0]), seed=seed, minutes=budget.towers, quiet=quiet)
    parts = []
    for split, minutes in [*((split, budget.reading / len(splits)) for split in splits), (validation, budget.reading)]:
        reader = Reader(Known.of(table, split), towers, split.requests, others, seconds=60 * budget.renewals)
        parts.append(collected_within(60 * minutes, reader, split.requests, RANKER_SIZES.history))
    # Targets that nothing proposed are not learned from: their signals are low, and the ranker would prefer such.
    before, after = (
        part.take(np.flatnonzero(part.is_target.any(1))) for part in (Proposals.joined(parts[:-1]), parts[-1])
    )
    if not len(before) or not len(after):
        raise Invalid("The table is too small to train a ranker on.")
    settings = replace(RANKER_SETTINGS, seed=seed, minutes=budget.ranker)
    names, known = reader.names, Known.of(table, validation)
    everything = Proposals.joined([before, after])
    form = choose(everything, names)
    ranker = Ranker(known, names, before, form, settings, RANKER_SIZES, quiet=quiet)
    figures = []
    for ranker.model.depth in DEPTHS:
        figures.append(judged(ranker.scores(after), after))
    best = simplest(figures)
    depth, found = DEPTHS[best], figures[best]
    if others:
        single, alone = best_alone(after, names, others)
        # What few examples teach the weights can be worse than the best of what they weigh.
        if is_clearly_better(alone, found):
            form, depth, found = single, 0.0, alone
    chosen = Chosen(form, depth, float(found.sum() / len(parts[-1])))
    final = Ranker(known, names, everything, form, settings, RANKER_SIZES, depth=depth, quiet=quiet)
    return final, chosen


def sample(found: Split, most: int, seed: int) -> Split:
    """With at most so many requests, drawn at random."""
    if len(found.requests) <= most:
        return found
    drawn = np.random.default_rng(seed).choice(len(found.requests), most, replace=False)
    return Split(found.fit, found.requests.take(np.sort(drawn)), found.is_live)


class Phoenix:
    """Both stages, asked in order of time: all items, those proposed first, in the ranker's order."""

    def __init__(self, known: Known, towers: Towers, ranker: Ranker, reader: Reader) -> None:
        self.reader, self.ranker, self.known = reader, ranker, known

    def ask(self, requests: Requests, index: Int64s) -> Floats:
        """Scores [R, N]."""
        proposals = collect(self.reader, requests, index, RANKER_SIZES.history)
        scores = np.full((len(index), self.known.num_items), NOT_PROPOSED, dtype=np.float32)
        found = self.ranker.scores(proposals)
        for row, items, mine in zip(scores, proposals.items, found, strict=True):
            row[items[items >= 0]] = mine[items >= 0]
        return scores

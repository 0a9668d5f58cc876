"""Which arithmetic serves: reduced precision where it is measured to be faster and to agree, else exact."""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch

from ranking.phoenix import synthetic
from ranking.phoenix.actions import PIPELINE_WEIGHTS, action_names
from ranking.phoenix.batch import Candidates, Context, Tables
from ranking.phoenix.inference import RankerRuntime, workers
from ranking.phoenix.recsys_model import PhoenixRanker, RankerOutput

MAX_PROBABILITY_DIFFERENCE = 5e-3
MIN_RANK_CORRELATION = 0.999
PROBE_CANDIDATES = 512
PROBE_RUNS = 9
# Less is not worth another arithmetic.
MIN_GAIN = 1.25

Floats = npt.NDArray[np.floating]


@dataclass(frozen=True)
class Agreement:
    """How far reduced precision is from exact: largest difference of any probability, and the rank
    correlation of the final scores."""

    probability_difference: float
    rank_correlation: float

    @property
    def holds(self) -> bool:
        return (
            self.probability_difference <= MAX_PROBABILITY_DIFFERENCE and self.rank_correlation >= MIN_RANK_CORRELATION
        )


@dataclass(frozen=True)
class Choice:
    """The runtime that serves, and the measurements that chose it: milliseconds of one core per probe."""

    runtime: RankerRuntime
    agreement: Agreement
    exact_ms: float
    fast_ms: float

    @property
    def is_fast(self) -> bool:
        return self.runtime.dtype != torch.float32


def final_scores(model: PhoenixRanker, output: RankerOutput) -> Floats:
    """Sum of the probabilities under the published weights, by name; [N]."""
    names = action_names(model.config)
    weights = np.array([PIPELINE_WEIGHTS.get(name, 0.0) for name in names], np.float32)
    return output.logits[0].sigmoid().numpy() @ weights


def rank_correlation(a: Floats, b: Floats) -> float:
    """Spearman's correlation; 1 for fewer than two values."""
    if len(a) < 2:
        return 1.0
    ranks = [values.argsort(kind="stable").argsort(kind="stable") for values in (a, b)]
    return float(np.corrcoef(*ranks)[0, 1])


def agreement(model: PhoenixRanker, exact: RankerOutput, fast: RankerOutput) -> Agreement:
    """Compares two answers to one request."""
    difference = (exact.logits.sigmoid() - fast.logits.sigmoid()).abs()
    worst = float(difference.nan_to_num(nan=torch.inf).max()) if difference.numel() else 0.0
    return Agreement(worst, rank_correlation(final_scores(model, exact), final_scores(model, fast)))


def choose(model: PhoenixRanker, tables: Tables) -> Choice:
    """Measures both arithmetics on an invented request and takes the faster one that may be used.

    It also compiles and warms what the first request would otherwise wait for.
    """
    request = synthetic.request(model.config, num_candidates=PROBE_CANDIDATES)
    exact, fast = RankerRuntime(model, tables), RankerRuntime(model, tables, dtype=torch.bfloat16)
    exact_output, exact_ms = _probe(exact, *request)
    fast_output, fast_ms = _probe(fast, *request)
    agreed = agreement(model, exact_output, fast_output)
    is_fast = agreed.holds and MIN_GAIN * fast_ms < exact_ms
    return Choice(fast if is_fast else exact, agreed, exact_ms, fast_ms)


def _probe(runtime: RankerRuntime, context: Context, candidates: Candidates) -> tuple[RankerOutput, float]:
    """The answer, and the processor time of the fastest run after the first: what else the machine does
    should not decide."""
    encoded = runtime.encode(context)
    projections = runtime.project(candidates)

    def measured() -> tuple[RankerOutput, float]:
        start = time.thread_time()
        output = runtime.rank_here(encoded, candidates, projections)
        return output, 1000 * (time.thread_time() - start)

    runs = [workers().submit(measured).result() for _ in range(1 + PROBE_RUNS)]
    return runs[0][0], min(taken for _, taken in runs[1:])

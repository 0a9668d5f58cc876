"""Times the published computation against the cached one on the same random weights."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch

from ranking.phoenix import reference, synthetic
from ranking.phoenix.batch import ArrayTables, Candidates, Context
from ranking.phoenix.config import EntityHash, PhoenixConfig
from ranking.phoenix.inference import RankerRuntime
from ranking.phoenix.recsys_model import PhoenixRanker, RankerOutput

TABLE_ROWS = 10_000
PEAK_SIZE = 1024


def upstream_config(*, emb_size: int, num_layers: int, history: int) -> PhoenixConfig:
    """The published ranker in any size, with small tables."""
    scales, biases = (196742702, 1852108266), (1935840681, 167407236)
    hashes = EntityHash(scales, biases, 2859568897, TABLE_ROWS)
    return PhoenixConfig(
        model_type="ranker",
        emb_size=emb_size,
        num_layers=num_layers,
        num_heads=4,
        key_size=emb_size // 4,
        history_seq_len=history,
        candidate_seq_len=64,
        num_actions=19,
        user_hash=hashes,
        item_hash=hashes,
        author_hash=hashes,
    )


@dataclass(frozen=True)
class Subject:
    """A random model and one request for it."""

    model: PhoenixRanker
    tables: ArrayTables
    context: Context
    candidates: Candidates


def subject(config: PhoenixConfig, *, num_candidates: int, seed: int = 0) -> Subject:
    """Everything drawn from one seed; a full history."""
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    tables = {
        name: rng.normal(scale=0.3, size=(TABLE_ROWS, config.emb_size)).astype(np.float32)
        for name in ("user", "item", "author")
    }
    context, candidates = synthetic.request(config, num_candidates=num_candidates, seed=seed)
    return Subject(PhoenixRanker(config).eval(), ArrayTables(tables, config), context, candidates)


@dataclass(frozen=True)
class Timing:
    """Milliseconds of repeated runs."""

    samples_ms: tuple[float, ...]

    @property
    def p50_ms(self) -> float:
        return float(np.percentile(self.samples_ms, 50))

    @property
    def p95_ms(self) -> float:
        return float(np.percentile(self.samples_ms, 95))


def measure(run: Callable[[], object], *, repeats: int) -> Timing:
    """Times after two warm-up runs."""
    run()
    run()
    gc.collect()
    samples = []
    for _ in range(repeats):
        start = time.perf_counter()
        run()
        samples.append(1000 * (time.perf_counter() - start))
    return Timing(tuple(samples))


def matmul_peak(dtype: torch.dtype = torch.float32) -> float:
    """Best GFLOP/s of a square matrix product on this machine."""
    a = torch.randn(PEAK_SIZE, PEAK_SIZE).to(dtype)
    timing = measure(lambda: a @ a, repeats=10)
    return 2 * PEAK_SIZE**3 / min(timing.samples_ms) / 1e6


@dataclass(frozen=True)
class Flop:
    """Floating-point operations (matrix products, 2 per multiply-add) of the cached method, by part."""

    context: float
    projections: float
    candidates: float


def cached_flop(config: PhoenixConfig, num_candidates: int) -> Flop:
    """What one request costs: its context, what depends on the posts alone, and the rest."""
    size, heads, width = config.emb_size, config.heads_size, config.ffn_size
    linear = 2 * (size * 3 * heads + heads * size + size * 2 * width + width * size)
    tokens = 1 + config.history_seq_len
    heads_out = 2 * size * (config.num_actions + config.num_continuous)
    per_candidate = config.num_layers * (linear + 4 * heads * (tokens + 1)) + heads_out
    per_token = (config.num_layers - 1) * (linear + 2 * heads * (tokens + 1)) + 2 * size * 2 * heads
    history = 2 * config.num_history_parts * size * size
    return Flop(
        context=tokens * (per_token + history),
        projections=num_candidates * 2 * config.num_post_parts * size * size,
        candidates=num_candidates * per_candidate,
    )


@dataclass(frozen=True)
class Path:
    """One way to answer the request."""

    run: Callable[[], object]
    flop: float


def paths(drawn: Subject, runtime: RankerRuntime, name: str) -> dict[str, Path]:
    """`name`: as served, the posts' projections stored and the context new; `name_cold`: nothing
    stored; `name_warm`: the context cached too."""
    context, projections = runtime.encode(drawn.context), runtime.project(drawn.candidates)
    flop = cached_flop(drawn.model.config, drawn.candidates.post_ids.shape[1])
    return {
        name: Path(
            lambda: runtime.rank(runtime.encode(drawn.context), drawn.candidates, projections),
            flop.context + flop.candidates,
        ),
        f"{name}_cold": Path(
            lambda: runtime.rank(runtime.encode(drawn.context), drawn.candidates),
            flop.context + flop.projections + flop.candidates,
        ),
        f"{name}_warm": Path(lambda: runtime.rank(context, drawn.candidates, projections), flop.candidates),
    }


def rank_slowly(drawn: Subject) -> RankerOutput:
    """The whole request in chunks, each with its own pass over the context."""
    return reference.rank(drawn.model, drawn.context, drawn.candidates, drawn.tables)

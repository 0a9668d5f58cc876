"""Times the published computation against the cached one on the same random weights."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch

from ranking.phoenix import reference
from ranking.phoenix.batch import ArrayTables, Candidates, Context
from ranking.phoenix.config import EntityHash, PhoenixConfig
from ranking.phoenix.inference import RankerRuntime
from ranking.phoenix.recsys_model import PhoenixRanker

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
    now = 1_790_000_000

    def ids(count: int) -> torch.Tensor:
        return torch.from_numpy(rng.integers(1, 1 << 62, (1, count)))

    history = config.history_seq_len
    context = Context(
        user_ids=ids(1)[0],
        post_ids=ids(history),
        author_ids=ids(history),
        actions=torch.from_numpy((rng.random((1, history, config.num_actions)) < 0.1).astype(np.float32)),
        surface=torch.zeros(1, history, dtype=torch.int64),
        dwell_seconds=torch.from_numpy(rng.exponential(10, (1, history)).astype(np.float32)),
    )
    candidates = Candidates(
        post_ids=ids(num_candidates),
        author_ids=ids(num_candidates),
        surface=torch.zeros(1, num_candidates, dtype=torch.int64),
        impression_seconds=torch.full((1, num_candidates), now),
        creation_seconds=torch.from_numpy(now - rng.integers(0, 172_800, (1, num_candidates))),
    )
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


def cached_flop(config: PhoenixConfig, num_candidates: int) -> float:
    """Floating-point operations of the cached method (matrix products, 2 per multiply-add)."""
    size, heads, width = config.emb_size, config.heads_size, config.ffn_size
    linear = 2 * (size * 3 * heads + heads * size + size * 2 * width + width * size)
    context = 1 + config.history_seq_len
    attention = 4 * heads * (context + 1)
    projection = 2 * config.num_candidate_parts * size * size
    heads_out = 2 * size * (config.num_actions + config.num_continuous)
    per_candidate = config.num_layers * (linear + attention) + projection + heads_out
    per_token = (config.num_layers - 1) * (linear + attention / 2) + 2 * size * 2 * heads
    history = 2 * config.num_history_parts * size * size
    return num_candidates * per_candidate + context * (per_token + history)


def rank_once(runtime: RankerRuntime, drawn: Subject) -> None:
    """A whole request: context and candidates."""
    runtime.rank(runtime.encode(drawn.context), drawn.candidates)


def rank_slowly(drawn: Subject) -> None:
    """A whole request in chunks of 64, each with its own pass over the context."""
    reference.rank(drawn.model, drawn.context, drawn.candidates, drawn.tables)

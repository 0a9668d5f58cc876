"""The whole benchmark in one run: every baseline tuned on validation, ours, and the paired comparison."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import numpy as np

from ranking.benchmarking import ours
from ranking.benchmarking.asking import Ask, measured, ranks_of
from ranking.benchmarking.baselines import COUNTING, FACTORS, Model
from ranking.benchmarking.interactions import Interactions
from ranking.benchmarking.known import MAX_DENSE_ITEMS, Known, renewals
from ranking.benchmarking.linear import FORMS
from ranking.benchmarking.measures import Figures, figures, paired_bootstrap
from ranking.benchmarking.proposals import Reader
from ranking.benchmarking.protocols import Requests, split
from ranking.benchmarking.sasrec import SasRec, SasRecSettings
from ranking.types import Int64s

# Settings are compared on at most so many validation requests, the ranker learns from at most so many, and
# the test asks at most so many, the same for every model, drawn at random where a table has more. Few
# minutes and many items make them fewer: so many of the test, times the items, take about a minute.
TUNED_ON, LEARNED_FROM, TESTED_ON = 1_000, 4_000, 12_000
ASKED_A_MINUTE = 6_000_000
# Shares of the minutes allowed.
ASKING_SHARE, TUNING_SHARE, RENEWAL_SHARE, READING_SHARE = 0.12, 0.015, 0.01, 0.04
SASREC_SHARE, TOWER_SHARE, RANKER_SHARE = 0.16, 0.1, 0.04
OURS = "phoenix"
RETRIEVAL = "phoenix_retrieval"


@dataclass
class Row:
    """One model on the test requests."""

    name: str
    figures: Figures
    validation: float | None
    fit_seconds: float
    tuning_seconds: float
    settings_tried: int
    peak_mib: float
    chosen: dict[str, Any] = field(default_factory=dict)


class Refitted:
    """A counting model; in live evaluation fitted anew on the way, as often as the seconds allow."""

    def __init__(self, make: Callable[[Known], Model], known: Known, requests: Requests, seconds: float) -> None:
        self.make, self.known = make, known
        started = time.monotonic()
        self.model = make(known)
        self._due = renewals(known, requests, once=time.monotonic() - started, allowed=seconds)

    def ask(self, requests: Requests, index: Int64s) -> Iterator[np.ndarray]:
        for request in index.tolist():
            while self._due and requests.known[request] >= self._due[0]:
                self.model = self.make(self.known.until(self._due.pop(0)))
            yield self.model.scores(requests, request)


class Benchmark:
    """One table and protocol; `rows` grow as models finish, best told by `report`."""

    def __init__(self, table: Interactions, protocol: str, *, seed: int = 0, minutes: float = 15.0) -> None:
        self.table, self.protocol, self.seed, self.minutes = table, protocol, seed, minutes
        self.rows: list[Row] = []
        self.skipped: dict[str, str] = {}
        self.asked = max(int(minutes * ASKING_SHARE * ASKED_A_MINUTE / table.num_items), 100)
        self.test = ours.sample(split(table, protocol, "test"), min(TESTED_ON, self.asked), seed)
        self.validation = ours.sample(split(table, protocol, "validation"), min(TUNED_ON, self.asked), seed)
        self.known = {"test": Known.of(table, self.test), "validation": Known.of(table, self.validation)}

    def run(self, *, quiet: bool = False) -> Iterator[Row]:
        """Every model in turn."""
        for name, (_, grid) in {**COUNTING, **FACTORS}.items():
            if name.startswith("ease") and self.table.num_items > MAX_DENSE_ITEMS:
                self.skipped[name] = f"more than {MAX_DENSE_ITEMS} items"
                continue
            yield self._counting(name, grid)
        for name, is_bce in (("sasrec", False), ("sasrec_bce", True)):
            yield self._sasrec(name, bce=is_bce)
        yield from self._ours(quiet=quiet)

    def _figures(self, stage: str, ask: Ask) -> Figures:
        asked = self.test if stage == "test" else self.validation
        return figures(ranks_of(self.known[stage], asked.requests, ask))

    def _counting(self, name: str, grid: list[dict[str, Any]]) -> Row:
        """Settings tried until their time is up, the best one fitted again for the test."""
        factory = self._made_of(name)
        # Factors are fitted once.
        allowed = 0.0 if name in FACTORS else 60 * self.minutes * RENEWAL_SHARE
        started, tried = time.monotonic(), []
        # In random order, so that time running out favours no corner of the grid.
        order = np.random.default_rng(self.seed).permutation(len(grid)).tolist()
        for number in order if len(grid) > 1 else []:
            setting = grid[number]
            model = factory(self.known["validation"], **setting)
            model = Refitted(lambda _, made=model: made, self.known["validation"], self.validation.requests, 0)
            tried.append((self._figures("validation", model.ask).ndcg10, number))
            if time.monotonic() - started > 60 * self.minutes * TUNING_SHARE:
                break
        tuning = time.monotonic() - started
        best = max(tried, default=(None, 0))
        chosen = grid[best[1]]
        with measured() as cost:
            fitted = time.monotonic()
            make = partial(factory, **chosen)
            model = Refitted(make, self.known["test"], self.test.requests, allowed)
            seconds = time.monotonic() - fitted
            found = self._figures("test", model.ask)
        return self._add(Row(name, found, best[0], seconds, tuning, len(tried), cost.peak_mib, chosen))

    def _sasrec(self, name: str, *, bce: bool) -> Row:
        """Trained once for the number of epochs (validation), once for the test."""
        minutes = self.minutes * SASREC_SHARE / (4 if bce else 2)
        settings = SasRecSettings(seed=self.seed, minutes=minutes, bce=bce)
        if bce:
            settings = replace(settings, batch=64, learning_rate=2e-3)
        started = time.monotonic()

        def judge(model: SasRec) -> float:
            return self._figures("validation", model.scores_of).ndcg10

        validation, epochs = SasRec(self.known["validation"], settings, judge=judge).best
        tuning = time.monotonic() - started
        with measured() as cost:
            fitted = time.monotonic()
            model = SasRec(self.known["test"], replace(settings, epochs=epochs))
            seconds = time.monotonic() - fitted
            found = self._figures("test", model.scores_of)
        chosen = {"epochs": model.epochs, "batch": settings.batch, "learning_rate": settings.learning_rate}
        return self._add(Row(name, found, validation, seconds, tuning, 1, cost.peak_mib, chosen))

    def _ours(self, *, quiet: bool) -> Iterator[Row]:
        others = self._readable()
        budget = ours.Budget(
            self.minutes * TOWER_SHARE,
            self.minutes * RANKER_SHARE,
            self.minutes * RENEWAL_SHARE,
            self.minutes * READING_SHARE,
            min(LEARNED_FROM, self.asked),
        )
        started = time.monotonic()
        with measured() as cost:
            ranker, chosen = ours.train_ranker(
                self.table, self.protocol, self.validation, others, seed=self.seed, budget=budget, quiet=quiet
            )
        tuning, peak = time.monotonic() - started, cost.peak_mib
        with measured() as cost:
            fitted = time.monotonic()
            towers = ours.train_towers(self.known["test"], seed=self.seed, minutes=budget.towers, quiet=quiet)
            seconds = time.monotonic() - fitted
            found = self._figures("test", towers.ask)
        yield self._add(Row(RETRIEVAL, found, None, seconds, 0.0, 0, cost.peak_mib))
        with measured() as cost:
            fitted = time.monotonic()
            known = self.known["test"]
            reader = Reader(known, towers, self.test.requests, others, seconds=60 * budget.renewals)
            seconds += time.monotonic() - fitted
            found = self._figures("test", ours.Phoenix(known, towers, ranker, reader).ask)
        tried = len(FORMS) + len(ours.DEPTHS)
        told = {"signals": len(chosen.form.columns(reader.names)), "ridge": chosen.form.ridge, "depth": chosen.depth}
        peak = max(peak, cost.peak_mib)
        yield self._add(Row(OURS, found, chosen.validation, seconds, tuning, tried, peak, told))

    def _readable(self) -> ours.Makers:
        """Baselines that the ranker reads, with the settings chosen for them."""
        chosen = {row.name: row.chosen for row in self.rows if row.name in ours.READ}
        return {name: partial(self._made_of(name), **settings) for name, settings in chosen.items()}

    def _made_of(self, name: str) -> Callable[..., Model]:
        if name in FACTORS:
            return partial(FACTORS[name][0], seed=self.seed)
        return COUNTING[name][0]

    def _add(self, row: Row) -> Row:
        self.rows.append(row)
        return row

    def best_baseline(self) -> Row:
        """By NDCG@10 on the test."""
        return max((row for row in self.rows if row.name not in (OURS, RETRIEVAL)), key=lambda row: row.figures.ndcg10)

    def report(self) -> dict[str, Any]:
        """Everything as plain values; the top level repeats the row of our two stages."""
        mine = next(row for row in self.rows if row.name == OURS)
        best = self.best_baseline()
        users = self.test.requests.users
        mean, low, high = paired_bootstrap(mine.figures.per_request, best.figures.per_request, users, seed=self.seed)
        return {
            "protocol": self.protocol,
            "seed": self.seed,
            **self._row(mine),
            "best_baseline": best.name,
            "difference": {"ndcg10": mean, "low": low, "high": high},
            "models": {row.name: self._row(row) for row in self.rows},
            "skipped_models": self.skipped,
            "skipped_rows": self.table.skipped,
            "per_user": {row.name: self._per_user(row) for row in (mine, best)},
        }

    def _row(self, row: Row) -> dict[str, Any]:
        found = {name: value for name, value in vars(row.figures).items() if name != "per_request"}
        return {
            **found,
            "users": self.table.num_users,
            "items": self.table.num_items,
            "interactions": len(self.table),
            "eval_users": len(np.unique(self.test.requests.users)),
            "requests": len(self.test.requests),
            "fit_s": round(row.fit_seconds, 2),
            "tuning_s": round(row.tuning_seconds, 2),
            "settings_tried": row.settings_tried,
            "peak_mib": round(row.peak_mib, 1),
            "val_ndcg10": row.validation,
            "chosen": row.chosen,
        }

    def _per_user(self, row: Row) -> dict[str, float]:
        """Mean NDCG@10 by user id."""
        users = self.test.requests.users
        sums = np.bincount(users, weights=row.figures.per_request, minlength=self.table.num_users)
        counts = np.bincount(users, minlength=self.table.num_users)
        return {self.table.user_names[u]: float(sums[u] / counts[u]) for u in np.flatnonzero(counts).tolist()}

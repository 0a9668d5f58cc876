"""How scores are spread, and how far each recommender's posts get."""

import numpy as np

from feed.candidate_pipeline import Batch, Result, SideEffect
from feed.home_mixer import served_types
from feed.home_mixer.params import HEADS
from feed.home_mixer.query import ScoredPostsQuery, fraction
from xsocial.kernel import metrics

WATCHED_HEADS = ("favorite", "reply", "repost", "click", "vqv", "share", "not_interested")
WATCHED_SCORES = ("weighted_score", "score")
WATCHED_SOURCES = (served_types.PHOENIX, served_types.PHOENIX_MOE)
TOPS = (1, 10, 35)
EDGES = (0.0001, 0.001, 0.005, 0.01, 0.05, 0.1, 0.25, 0.5, 1.0, 2.0)


class ScoredStatsSideEffect(SideEffect):
    """A sample of requests; replayed candidates add to the distributions alone."""

    def enabled(self, query: ScoredPostsQuery) -> bool:
        """A fixed share of requests."""
        return fraction(query.request_id, "stats") < query.params.stats_share

    def run(self, result: Result) -> None:
        """Metrics only; nothing for an empty result."""
        pool = Batch.concat(result.selected.schema, (result.selected, result.non_selected))
        if not pool.n:
            return
        heads = pool["heads"]
        columns = {head: heads[:, HEADS.index(head)] for head in WATCHED_HEADS}
        columns |= {name: pool[name] for name in WATCHED_SCORES}
        for name, column in columns.items():
            _observe(name, column)
        if not result.query.has_cached_posts:
            _observe_sources(pool, result.selected)


def _observe(name: str, column: np.ndarray) -> None:
    known = column[np.isfinite(column)]
    spread = metrics.histogram("feed_scores", "Predictions and scores of candidates", ("what",), buckets=EDGES)
    for value in known.tolist():
        spread.labels(name).observe(value)
    found = metrics.counter("feed_scores_known", "Predictions and scores by whether there was one", ("what", "state"))
    found.labels(name, "present").inc(len(known))
    found.labels(name, "missing").inc(len(column) - len(known))


def _observe_sources(pool: Batch, selected: Batch) -> None:
    places = metrics.counter("feed_source_places", "Candidates of a source by how far they got", ("source", "place"))
    order = np.argsort(-np.nan_to_num(pool["weighted_score"], nan=-np.inf), kind="stable")
    ranked = pool["served_type"][order]
    for source in WATCHED_SOURCES:
        for top in TOPS:
            places.labels(source, f"top_{top}").inc(int((ranked[:top] == source).sum()))
        places.labels(source, "served").inc(int((selected["served_type"] == source).sum()))

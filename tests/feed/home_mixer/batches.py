"""Small batches and queries for stages that need no database."""

from dataclasses import replace

import numpy as np

from accounts.selectors.graph import ViewerSettings
from feed.candidate_pipeline import Batch
from feed.home_mixer.candidate import SCHEMA
from feed.home_mixer.params import HEADS, Params
from feed.home_mixer.query import ScoredPostsQuery, WeightsInForce
from feed.weights import Live
from xsocial.kernel import ids

NOW_MS = 1_800_000_000_000
HOUR_MS = 3_600_000
VIEWER = ids.id_at(NOW_MS - 400 * 24 * HOUR_MS)


def post_id(hours_ago=0.0, sequence=0):
    """An id made that long before the query's moment."""
    return ids.id_at(int(NOW_MS - hours_ago * HOUR_MS), sequence)


def query(*, params=None, viewer=None, **fields):
    """A query with some parameters and viewer data replaced; id lists may be plain."""
    arrays = {name: np.array(value, np.int64) for name, value in fields.items() if isinstance(value, list)}
    return ScoredPostsQuery(
        user_id=VIEWER,
        request_id=fields.pop("request_id", 1),
        prediction_id=2,
        now_ms=NOW_MS,
        params=replace(Params(), **(params or {})),
        viewer=ViewerSettings(**(viewer or {})),
        **{**fields, **arrays},
    )


def live(**parameters):
    """The published weights, and these parameters as staff set them."""
    return Live(WeightsInForce(), parameters)


def batch(**columns):
    """Candidates from columns; the post ids are 1, 2, 3, ... unless given."""
    n = len(next(iter(columns.values())))
    columns.setdefault("post_id", list(range(1, n + 1)))
    return Batch.of(SCHEMA, **columns)


def heads(*rows):
    """Predictions: a dictionary per candidate."""
    return np.array([[row.get(head, np.nan) for head in HEADS] for row in rows], dtype=np.float64)


def scored(scorer, asked, rows):
    """The batch after a scorer, as the runner would leave it."""
    answer = scorer.score(asked, rows)
    for name, values in getattr(answer, "columns", answer).items():
        rows.assign(name, SCHEMA[name].of(values))
    return rows

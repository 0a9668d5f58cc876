"""Whether the heads still see what they used to: their scores of each week against those of the weeks before.

Not against what they were fitted with: collected texts hold as much abuse as their collectors looked for, and no site
is like that.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from moderation.grox import drift
from moderation.grox.policies import policy_book
from xsocial.kernel import clock, sql

if TYPE_CHECKING:
    from moderation.grox.classifiers.heads import Head

WEEKS = 8
FEWEST = 50  # scores; fewer say nothing about a distribution

# Scores stand in the annotation of the plan that found them; a head's later versions have other distributions.
_SCORES = """
SELECT date_trunc('week', a.created_at)::date, s.key, least(%(bins)s - 1, floor(s.value::float * %(bins)s))::int,
       count(*)
  FROM moderation_postannotation a,
       jsonb_each_text(coalesce(a.result #> '{safety,scores}', a.result -> 'scores')) s
 WHERE a.created_at >= %(since)s AND a.plan = ANY(%(plans)s)
   AND a.versions ->> split_part(s.key, '.', 1) = ANY(%(versions)s)
 GROUP BY 1, 2, 3
"""


@dataclass(frozen=True)
class Drift:
    """One head: the index of its most moved class in each week, 0 where there is too little to compare."""

    task: str
    version: str
    indices: list[float]

    @property
    def is_notable(self) -> bool:
        """Whether the last week differs so much that somebody should look."""
        return self.indices[-1] > drift.NOTABLE


def weeks() -> list[date]:
    """The first days of the weeks shown, the current one last."""
    monday = clock.now().date() - timedelta(days=clock.now().weekday())
    return [monday - timedelta(weeks=back) for back in reversed(range(WEEKS))]


def drifts() -> list[Drift]:
    """Every head whose scores are kept. One query."""
    from moderation.grox.classifiers import heads  # brings scikit-learn, which most processes do not need

    shown = weeks()
    known = [heads.load(task) for task in sorted(policy_book().heads)]
    counts = _counts(shown[0], [head.version for head in known])
    return [Drift(head.task, head.version, _indices(head, counts, shown)) for head in known]


def _counts(since: date, versions: list[str]) -> dict[tuple[date, str], NDArray[np.int64]]:
    """Scores in each bin by week and name."""
    params = {"since": since, "bins": drift.BINS, "plans": ["post_safety", "safety_ptos"], "versions": versions}
    found: dict[tuple[date, str], NDArray[np.int64]] = defaultdict(_nothing)
    for week, name, place, number in sql.rows(_SCORES, params):
        found[week, name][place] += number
    return found


def _nothing() -> NDArray[np.int64]:
    return np.zeros(drift.BINS, dtype=np.int64)


def _indices(head: Head, counts: dict[tuple[date, str], NDArray[np.int64]], shown: list[date]) -> list[float]:
    """Of each week the largest index among the head's classes."""
    by_class = [_moved([counts[week, f"{head.task}.{name}"] for week in shown]) for name in head.classes]
    return [round(max(of_week), 4) for of_week in zip(*by_class, strict=True)]


def _moved(weekly: list[NDArray[np.int64]]) -> list[float]:
    """Of one class, each week against all before it together."""
    before = np.cumsum([_nothing(), *weekly[:-1]], axis=0)
    return [
        drift.stability_index(drift.shares(earlier), drift.shares(seen))
        if min(earlier.sum(), seen.sum()) >= FEWEST
        else 0.0
        for earlier, seen in zip(before, weekly, strict=True)
    ]

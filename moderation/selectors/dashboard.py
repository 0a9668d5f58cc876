"""How moderation is doing over the last days: volume, speed, findings, the queue's age, appeals by rule."""

from collections import Counter, defaultdict
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from django.db.models import Avg, Count, Q
from django.db.models.functions import TruncDate

from moderation.models import Appeal, PostAnnotation, PostLabel, Report
from moderation.selectors.drift import Drift, drifts, weeks
from moderation.types import STATUS_LABELS, AppealState
from xsocial.kernel import clock, sql

DAYS = 14
PLAN = "safety_ptos"
NEW_POSTS = "realtime"  # the stream that somebody waits for
LABELS_SHOWN = 8

# At the end of each day, or now.
_OLDEST_HOURS = """
SELECT (extract(epoch FROM max(seen.at - r.created_at)) / 3600)::float
  FROM unnest(%(ends)s::timestamptz[]) AS seen (at)
  LEFT JOIN {table} r
    ON r.created_at < seen.at AND (r.decided_at IS NULL OR r.decided_at >= seen.at)
 GROUP BY seen.at
 ORDER BY seen.at
"""

_LATENCY = """
SELECT a.created_at::date, percentile_cont(0.95) WITHIN GROUP (ORDER BY extract(epoch FROM a.created_at - p.created_at))
  FROM moderation_postannotation a
  JOIN posts_post p ON p.id = a.post_id
 WHERE a.plan = %(plan)s AND a.stream = %(stream)s AND a.attempt = 0 AND a.created_at >= %(since)s
 GROUP BY 1
"""


@dataclass(frozen=True)
class RuleRecord:
    """What became of the appeals against one rule."""

    rule: str
    appeals: int
    upheld: int

    @property
    def share_upheld(self) -> float:
        return self.upheld / self.appeals


@dataclass(frozen=True)
class Dashboard:
    """`days` are the columns of every series but drift, which goes by `weeks`.

    Seconds are from a new post to its labels for nineteen of twenty posts; milliseconds are what one costs the
    classifiers, on average; ages are hours that the oldest has waited at the end of the day.
    """

    days: list[date]
    volume: list[float]
    seconds: list[float]
    milliseconds: list[float]
    not_scored: list[float]
    labels: dict[str, list[float]]
    oldest_report_hours: list[float]
    oldest_appeal_hours: list[float]
    rules: list[RuleRecord]
    weeks: list[date]
    drifts: list[Drift]


def dashboard() -> Dashboard:
    """Read everything, with a fixed number of queries."""
    now = clock.now()
    days = [(now - timedelta(days=back)).date() for back in reversed(range(DAYS))]
    since = now - timedelta(days=DAYS)
    runs = {
        row["day"]: row
        for row in PostAnnotation.objects.filter(plan=PLAN, created_at__gte=since)
        .annotate(day=TruncDate("created_at", tzinfo=UTC))
        .values("day")
        .annotate(
            number=Count("pk"),
            mean=Avg("milliseconds", filter=Q(milliseconds__gt=0)),
            unscored=Count("pk", filter=Q(state="not_scored")),
        )
    }
    nothing = {"number": 0, "mean": 0.0, "unscored": 0}
    rows = [runs.get(day, nothing) for day in days]
    seconds = dict(sql.rows(_LATENCY, {"plan": PLAN, "stream": NEW_POSTS, "since": since}))
    return Dashboard(
        days=days,
        volume=[float(row["number"]) for row in rows],
        seconds=[float(seconds.get(day, 0)) for day in days],
        milliseconds=[float(row["mean"] or 0) for row in rows],
        not_scored=[row["unscored"] / max(1, row["number"]) for row in rows],
        labels=_labels(days, since),
        oldest_report_hours=_oldest_hours(Report, days, now),
        oldest_appeal_hours=_oldest_hours(Appeal, days, now),
        rules=_rules(),
        weeks=weeks(),
        drifts=drifts(),
    )


def _labels(days: list[date], since: datetime) -> dict[str, list[float]]:
    """Restricting labels put on a day, the most frequent ones: a head that drifts shows here first."""
    counts: dict[str, Counter[date]] = defaultdict(Counter)
    rows = (
        PostLabel.objects.filter(applied_at__gte=since)
        .exclude(label__in=STATUS_LABELS)
        .annotate(day=TruncDate("applied_at", tzinfo=UTC))
        .values_list("label", "day")
        .annotate(number=Count("pk"))
    )
    for label, day, number in rows:
        counts[label][day] = number
    largest = sorted(counts, key=lambda label: -counts[label].total())[:LABELS_SHOWN]
    return {label: [float(counts[label][day]) for day in days] for label in largest}


def _oldest_hours(model: type[Report | Appeal], days: list[date], now: datetime) -> list[float]:
    ends = [datetime.combine(day + timedelta(days=1), time(), UTC) for day in days[:-1]]
    found = sql.rows(_OLDEST_HOURS.format(table=model._meta.db_table), {"ends": [*ends, now]})
    return [round(hours or 0, 1) for (hours,) in found]


def _rules() -> list[RuleRecord]:
    """Appeals decided so far by the rule they were about, the one most often wrong first."""
    rows = (
        Appeal.objects.exclude(state=AppealState.OPEN)
        .values("label__rule")
        .annotate(total=Count("pk"), upheld=Count("pk", filter=Q(state=AppealState.UPHELD)))
    )
    found = [RuleRecord(row["label__rule"], row["total"], row["upheld"]) for row in rows]
    return sorted(found, key=lambda record: (-record.share_upheld, -record.appeals))

"""How moderation is doing over the last days: volume, speed, findings, the queue's age, appeals by rule."""

from collections import Counter, defaultdict
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.db.models import Avg, Count, Min, Q, QuerySet
from django.db.models.functions import TruncDate

from moderation.models import Appeal, PostAnnotation, PostLabel, Report
from moderation.selectors.drift import Drift, drifts, weeks
from moderation.types import STATUS_LABELS, AppealState, ReportState
from xsocial.kernel import clock

DAYS = 14
PLAN = "safety_ptos"
LABELS_SHOWN = 8


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
    """`days` are the columns of every series but drift, which goes by `weeks`. Milliseconds are means, ages hours."""

    days: list[date]
    volume: list[float]
    milliseconds: list[float]
    not_scored: list[float]
    labels: dict[str, list[float]]
    oldest_report_hours: float
    oldest_appeal_hours: float
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
        .annotate(day=TruncDate("created_at"))
        .values("day")
        .annotate(number=Count("pk"), mean=Avg("milliseconds"), unscored=Count("pk", filter=Q(state="not_scored")))
    }
    nothing = {"number": 0, "mean": 0.0, "unscored": 0}
    rows = [runs.get(day, nothing) for day in days]
    return Dashboard(
        days=days,
        volume=[float(row["number"]) for row in rows],
        milliseconds=[float(row["mean"] or 0) for row in rows],
        not_scored=[row["unscored"] / max(1, row["number"]) for row in rows],
        labels=_labels(days, since),
        oldest_report_hours=_age(Report.objects.filter(state=ReportState.OPEN), now),
        oldest_appeal_hours=_age(Appeal.objects.filter(state=AppealState.OPEN), now),
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
        .annotate(day=TruncDate("applied_at"))
        .values_list("label", "day")
        .annotate(number=Count("pk"))
    )
    for label, day, number in rows:
        counts[label][day] = number
    largest = sorted(counts, key=lambda label: -counts[label].total())[:LABELS_SHOWN]
    return {label: [float(counts[label][day]) for day in days] for label in largest}


def _age(rows: QuerySet, now: datetime) -> float:
    oldest = rows.aggregate(oldest=Min("created_at"))["oldest"]
    return round((now - oldest).total_seconds() / 3600, 1) if oldest else 0.0


def _rules() -> list[RuleRecord]:
    """Appeals decided so far by the rule they were about, the one most often wrong first."""
    rows = (
        Appeal.objects.exclude(state=AppealState.OPEN)
        .values("label__rule")
        .annotate(total=Count("pk"), upheld=Count("pk", filter=Q(state=AppealState.UPHELD)))
    )
    found = [RuleRecord(row["label__rule"], row["total"], row["upheld"]) for row in rows]
    return sorted(found, key=lambda record: (-record.share_upheld, -record.appeals))

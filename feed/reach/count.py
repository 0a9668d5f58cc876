"""One day of page loads as a funnel per author: how many posts times page loads reached each step.

retrieved = served + what each rule left out, exactly as in the ledgers; a viewer's own posts are not
counted. With every figure goes the number of people behind it, so that small groups stay hidden.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from itertools import islice

import numpy as np
from django.db import transaction

from feed.models import AuthorReach, Receipt
from feed.reach import record
from feed.reach.eligible import Load, eligible
from feed.reach.record import Reached
from posts.models import Engagement, Impression
from posts.types import EngagementKind
from xsocial.kernel import clock, ids

STEPS = ("eligible", "retrieved", "passed", "ranked", "served", "seen", "acted")
#: How many steps, retrieved first, a post came along that was left out in a stage; later stages come after the third.
REACHED = {"filters": 1, "selector": 2}
LATE, SERVED = 3, 4
#: Looking is no act, and a no is counted elsewhere.
NO_ACTS = (
    EngagementKind.DWELL,
    EngagementKind.DWELL_TIME,
    EngagementKind.NOT_DWELLED,
    EngagementKind.VIDEO_VIEW,
    EngagementKind.CLICK_DWELL,
    EngagementKind.NOT_INTERESTED,
    EngagementKind.BLOCK_AUTHOR,
    EngagementKind.MUTE_AUTHOR,
    EngagementKind.REPORT,
)
CHUNK = 500  # loads read at once
LATER = timedelta(hours=12)  # how long after a page something seen or done there still counts

Key = tuple[int, bool]  # author, before followers
Figures = dict[Key, list[int]]  # how many, and how many people


@dataclass
class Day:
    """What is known of a day: rows of authors' posts, the loads, and what was seen and done."""

    rows: dict[str, list[np.ndarray]] = field(default_factory=lambda: defaultdict(list))
    rules: dict[str, int] = field(default_factory=dict)
    loads: list[Load] = field(default_factory=list)
    after: dict[str, list[tuple[int, bool, int]]] = field(default_factory=lambda: defaultdict(list))

    def add(self, request_id: int, viewer_id: int, load: Reached) -> None:
        """One load more."""
        self.loads.append(Load(request_id, viewer_id, load.follows, load.max_age_ms))
        steps = [*(REACHED.get(stage, LATE) for stage, _ in load.rules), SERVED]
        rules = [*(self.rules.setdefault(name, len(self.rules)) for _, name in load.rules), -1]
        columns = {
            "author": load.author,
            "followed": load.followed,
            "steps": np.array(steps, np.int8)[load.fate],
            "rule": np.array(rules, np.int16)[load.fate],
            "viewer": np.full(len(load.author), viewer_id),
            "count": load.count,
        }
        for name, column in columns.items():
            self.rows[name].append(column)

    def column(self, name: str) -> np.ndarray:
        """One column of all loads."""
        return np.concatenate(self.rows[name])


def count_days() -> int:
    """Count today so far and yesterday; returns how many rows were written."""
    today = clock.now().astimezone(UTC).date()
    return sum(count_day(day) for day in (today - timedelta(days=1), today))


def count_day(day: date) -> int:
    """Count one day anew, UTC; returns how many rows were written. Doing it again changes nothing."""
    low, high = (ids.id_at(clock.to_ms(datetime.combine(each, time(), UTC))) for each in (day, day + timedelta(days=1)))
    found = Day()
    receipts = Receipt.objects.filter(request_id__gte=low, request_id__lt=high, reach__isnull=False)
    rows = receipts.order_by("request_id").values_list("request_id", "viewer_id", "reach").iterator(CHUNK)
    while chunk := list(islice(rows, CHUNK)):
        loads = [(request_id, viewer_id, record.unpacked(bytes(body))) for request_id, viewer_id, body in chunk]
        for load in loads:
            found.add(*load)
        _look_after(found, loads)
    return _write(day, *_figures(found)) if found.loads else _write(day, {}, {})


def _look_after(found: Day, loads: list[tuple[int, int, Reached]]) -> None:
    """What of the served was seen and acted on; each post of a page once."""
    served = {
        (request_id, post): (author, followed)
        for request_id, _, load in loads
        for post, author, followed in zip(
            load.served_post.tolist(), load.served_author.tolist(), load.served_followed.tolist(), strict=True
        )
    }
    requests = [request_id for request_id, *_ in loads]
    span = {
        "request_id__in": requests,
        "created_at__gte": ids.datetime_of(requests[0]),
        "created_at__lt": ids.datetime_of(requests[-1]) + LATER,
    }
    acts = Engagement.objects.exclude(kind__in=NO_ACTS)
    for name, rows in (("seen", Impression.objects), ("acted", acts)):
        done = rows.filter(**span).values_list("request_id", "post_id", "user_id").distinct()
        found.after[name] += [
            (*served[request, post], person) for request, post, person in done.order_by() if (request, post) in served
        ]


def _figures(found: Day) -> tuple[dict[str, Figures], dict[str, Figures]]:
    """Figures by step, and by rule."""
    authors, author = np.unique(found.column("author"), return_inverse=True)
    if not len(authors):
        return {}, {}
    key = 2 * author + found.column("followed")
    viewer, count = found.column("viewer"), found.column("count")
    reached, rule = found.column("steps"), found.column("rule")

    def of(rows: np.ndarray) -> Figures:
        return _grouped(authors, key[rows], viewer[rows], count[rows])

    steps = {name: of(reached >= least) for least, name in enumerate(STEPS[1:5], start=1)}
    # Whoever's page found a post of an author could have been shown one: at least so many people.
    possible = eligible(found.loads, authors)
    steps["eligible"] = {each: [possible[each], people] for each, (_, people) in steps["retrieved"].items()}
    for name, rows in found.after.items():
        who, by_followers, person = np.array(rows, np.int64).reshape(-1, 3).T
        place = 2 * np.searchsorted(authors, who) + by_followers
        steps[name] = _grouped(authors, place, person, np.ones(len(rows), np.int64))
    return steps, {name: of(rule == number) for name, number in found.rules.items()}


def _grouped(authors: np.ndarray, key: np.ndarray, viewer: np.ndarray, count: np.ndarray) -> Figures:
    """Sums and different viewers by key, which is twice the author's place, one more before followers."""
    if not len(key):
        return {}
    order = np.lexsort((viewer, key))
    key, viewer = key[order], viewer[order]
    new_key = np.concatenate([[True], key[1:] != key[:-1]])
    new_viewer = new_key | np.concatenate([[True], viewer[1:] != viewer[:-1]])
    starts = np.flatnonzero(new_key)
    sums = np.add.reduceat(count[order], starts).tolist()
    people = np.add.reduceat(new_viewer.astype(np.int64), starts).tolist()
    found = zip(authors[key[starts] // 2].tolist(), (key[starts] % 2 == 1).tolist(), sums, people, strict=True)
    return {(author, followed): [each, persons] for author, followed, each, persons in found}


@transaction.atomic
def _write(day: date, steps: dict[str, Figures], rules: dict[str, Figures]) -> int:
    """Replace the day's rows: of authors whose posts were looked at at all."""
    rows = [
        AuthorReach(
            author_id=key[0], day=day, by_followers=key[1], counts=_of(key, steps, STEPS), left_out=_of(key, rules)
        )
        for key in steps.get("retrieved", {})
    ]
    AuthorReach.objects.filter(day=day).delete()
    return len(AuthorReach.objects.bulk_create(rows, batch_size=1_000))


def _of(key: Key, figures: dict[str, Figures], names: tuple[str, ...] = ()) -> dict[str, list[int]]:
    """Name -> [count, people], without zeros."""
    return {name: figures[name][key] for name in names or sorted(figures) if key in figures.get(name, {})}
